// Shows one page of the app; each page starts when it is shown and stops when it is left.
import * as api from "./api.js"
import * as cameras from "./cameras.js"
import * as live from "./live.js"
import * as videos from "./videos.js"

const pages = { live, cameras, videos, api }
let shown

async function show() {
  const name = location.hash.slice(1) in pages ? location.hash.slice(1) : "live"
  if (name === shown) return
  if (shown) pages[shown].stop()
  const first = shown === undefined
  shown = name
  for (const section of document.querySelectorAll("main > section")) section.hidden = section.id !== name
  for (const link of document.querySelectorAll("nav a")) {
    if (link.hash === `#${name}`) link.setAttribute("aria-current", "page")
    else link.removeAttribute("aria-current")
  }
  document.title = `${document.querySelector(`#${name} h1`).textContent} · posetrack`
  if (!first) document.getElementById("main").focus()
  await pages[name].start()
  document.documentElement.dataset.page = name
}

addEventListener("hashchange", show)
addEventListener("pagehide", () => pages[shown].stop())
show()
