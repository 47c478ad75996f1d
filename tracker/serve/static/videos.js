// Uploads: videos go into the server's queue; results are links.
import { markVideo } from "./markvideo.js"
import { request, say, sentence } from "./request.js"
import { empty } from "./scene.js"

const $ = (name) => document.getElementById(`videos-${name}`)
const EVERY = 1000 // ms between two lists of jobs
let timer
let sending = 0

export async function start() {
  $("choose").onclick = () => $("files").click()
  $("files").onchange = async () => {
    const files = [...$("files").files]
    $("files").value = ""
    await sendAll(files)
  }
  const drop = $("drop")
  drop.ondragover = (event) => {
    event.preventDefault()
    drop.classList.add("over")
  }
  drop.ondragleave = () => drop.classList.remove("over")
  drop.ondrop = async (event) => {
    event.preventDefault()
    drop.classList.remove("over")
    await sendAll([...event.dataTransfer.files])
  }
  addEventListener("beforeunload", warn)
  await refresh()
  timer = setInterval(refresh, EVERY)
}

export function stop() {
  clearInterval(timer)
}

function warn(event) {
  if (sending) event.preventDefault() // leaving would end the upload
}

async function refresh() {
  try {
    show(await request("/api/jobs"))
  } catch (error) {
    say($("message"), error.message)
  }
}

async function sendAll(files) {
  say($("message"), "")
  const options = { refine: $("refine").checked, blur_faces: $("blur").checked }
  const marked = $("mark").checked
  for (const file of files) {
    try {
      const scene = marked ? await markVideo(file) : empty()
      if (scene) await send(file, { ...options, scene: JSON.stringify(scene) })
    } catch (error) {
      say($("message"), error.message)
    }
    await refresh()
  }
}

/** Send a file, with a row that shows how much is sent; fetch() does not report it. */
async function send(file, options) {
  const query = new URLSearchParams(options)
  query.set("name", file.name)
  const call = new XMLHttpRequest()
  const row = newRow()
  row.querySelector("strong").textContent = file.name
  row.querySelector(".note").textContent = "uploading"
  row.querySelector(".actions").append(button("Cancel", () => call.abort()))
  $("sending").append(row)
  sending++
  try {
    await new Promise((resolve, reject) => {
      call.upload.onprogress = ({ loaded, total }) => (row.querySelector("progress").value = loaded / total)
      call.onload = () => (call.status === 201 ? resolve() : reject(new Error(sentence(call.responseText, call.status))))
      call.onerror = () => reject(new Error(`'${file.name}' could not be sent. The server ended the connection.`))
      call.onabort = () => resolve()
      call.open("POST", `/api/jobs?${query}`)
      call.send(file)
    })
  } finally {
    sending--
    row.remove()
  }
}

function show(jobs) {
  const listed = jobs.filter(({ state }) => state !== "uploading")
  const rows = new Map([...$("jobs").children].map((row) => [row.dataset.id, row]))
  listed.forEach((job, i) => {
    const row = rows.get(job.id) ?? newRow()
    rows.delete(job.id)
    row.dataset.id = job.id
    if ($("jobs").children[i] !== row) $("jobs").insertBefore(row, $("jobs").children[i] ?? null)
    update(row, job)
  })
  for (const row of rows.values()) row.remove()
  $("none").hidden = listed.length > 0
}

function newRow() {
  const row = document.createElement("li")
  const parts = { strong: "", span: "note", progress: "", p: "links", div: "actions" }
  row.append(...Object.entries(parts).map(([tag, className]) => Object.assign(document.createElement(tag), { className })))
  row.querySelector("progress").max = 1
  return row
}

function update(row, job) {
  const running = job.state === "running"
  row.querySelector("strong").textContent = job.name
  const bar = row.querySelector("progress")
  bar.hidden = !running
  bar.setAttribute("aria-label", `Progress of ${job.name}`)
  if (job.progress) bar.value = job.progress
  else bar.removeAttribute("value")
  const percent = `${Math.round(100 * job.progress)} %`
  const seconds = job.finished && job.started ? ` in ${duration(job.finished - job.started)}` : ""
  const words = {
    queued: "waits",
    running: job.step ? `${job.step}, ${percent}` : "loading the networks",
    done: `done${seconds}`,
    failed: job.error,
    cancelled: "cancelled",
  }
  row.querySelector(".note").textContent = words[job.state]
  row.classList.toggle("failed", job.state === "failed")
  if (row.dataset.state === job.state) return // links and buttons keep the keyboard's focus
  row.dataset.state = job.state
  row.querySelector(".links").replaceChildren(...links(job))
  const end = () => act(`/api/jobs/${job.id}/cancel`, "POST")
  const remove = () => act(`/api/jobs/${job.id}`, "DELETE")
  const waits = running || job.state === "queued"
  row.querySelector(".actions").replaceChildren(waits ? button("Cancel", end) : button("Delete", remove))
}

function links(job) {
  const own = job.results.filter(({ name }) => ["report", "save", "csv", "features", "events"].includes(name))
  const link = ({ name, title }) => {
    const made = Object.assign(document.createElement("a"), { href: `/api/jobs/${job.id}/results/${name}`, textContent: title })
    if (name === "report") Object.assign(made, { target: "_blank", rel: "noopener", className: "main" })
    else made.download = ""
    return made
  }
  const others = job.results.filter((result) => !own.includes(result))
  if (!others.length) return own.map(link)
  const more = document.createElement("details")
  more.append(Object.assign(document.createElement("summary"), { textContent: "Other formats" }), ...others.map(link))
  return [...own.map(link), more]
}

async function act(path, method) {
  try {
    await request(path, { method })
    say($("message"), "")
  } catch (error) {
    say($("message"), error.message)
  }
  await refresh()
}

function button(text, onclick) {
  return Object.assign(document.createElement("button"), { type: "button", textContent: text, onclick })
}

const duration = (seconds) => (seconds < 60 ? `${seconds.toFixed(0)} s` : `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`)
