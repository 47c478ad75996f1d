// The wall of the server's cameras: a tile for each, a click enlarges it.
import { ask } from "./dialog.js"
import { draw, loadSkeleton, personAt } from "./draw.js"
import { Marks } from "./marks.js"
import { People } from "./people.js"
import { request, say, socketOf } from "./request.js"
import { showChoices, style } from "./style.js"

const $ = (name) => document.getElementById(`cameras-${name}`)
const tiles = new Map() // by the id of the camera
const EVERY = 1000 // ms between two lists of cameras
let timer

export async function start() {
  showChoices(document.getElementById("cameras"))
  $("form").onsubmit = add
  document.onkeydown = ({ key }) => {
    if (key === "Escape") enlarge(null)
  }
  await attempt(loadSkeleton)
  await refresh()
  timer = setInterval(refresh, EVERY)
}

export function stop() {
  clearInterval(timer)
  document.onkeydown = null
  for (const id of [...tiles.keys()]) remove(id)
}

/** Do what the user asked for; an error stays until the next wish. */
async function attempt(work) {
  say($("message"), "")
  try {
    return await work()
  } catch (error) {
    say($("message"), error.message)
  }
}

async function refresh() {
  let cameras
  try {
    cameras = await request("/api/cameras")
  } catch (error) {
    return say($("message"), error.message)
  }
  for (const id of tiles.keys()) if (!cameras.some((camera) => camera.id === id)) remove(id)
  for (const camera of cameras) {
    if (!tiles.has(camera.id)) tiles.set(camera.id, newTile(camera.id))
    update(tiles.get(camera.id), camera)
  }
  $("none").hidden = cameras.length > 0
}

async function add(event) {
  event.preventDefault()
  const form = $("form")
  const json = { source: form.source.value.trim(), name: form.elements.name.value.trim() }
  if (await attempt(() => request("/api/cameras", { method: "POST", json }))) {
    form.reset()
    await refresh()
  }
}

function newTile(id) {
  const element = document.getElementById("tile").content.cloneNode(true).firstElementChild
  const tile = { id, element, canvas: element.querySelector("canvas"), people: new People(element.querySelector(".people")) }
  tile.marks = new Marks({
    panel: element.querySelector(".marks"),
    stage: element.querySelector(".stage"),
    canvas: tile.canvas,
    size: () => tile.answer?.size ?? null,
    changed: (scene) => change(tile, { scene }),
  })
  element.addEventListener("click", (event) => act(tile, event))
  $("tiles").append(element)
  connect(tile)
  return tile
}

function update(tile, camera) {
  tile.camera = camera
  tile.marks.take(camera.scene)
  const { element } = tile
  element.dataset.state = camera.state
  element.querySelector("strong").textContent = camera.name
  const words = { starting: "opening …", lost: "lost, trying again", ended: "ended" }
  const rate = `${camera.fps.toFixed(1)} fps · ${camera.dropped} dropped`
  element.querySelector(".note").textContent = camera.state === "running" ? rate : words[camera.state]
  element.querySelector(".cover").textContent = camera.state === "running" ? "" : camera.error || words[camera.state]
  element.querySelector("[data-do=enlarge]").setAttribute("aria-label", `${camera.name}: enlarge; click a person to follow them`)
  element.querySelector("[data-do=blur]").setAttribute("aria-pressed", camera.blur_faces)
}

function connect(tile) {
  const socket = (tile.socket = socketOf(`/api/cameras/${tile.id}/view`))
  socket.binaryType = "arraybuffer"
  socket.onmessage = async ({ data }) => {
    const length = new DataView(data).getUint32(0, true)
    const answer = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 4, length)))
    if (answer.frame < tile.answer?.frame) tile.people.follow(null) // the source was opened again, and IDs start again
    tile.answer = answer
    const image = await createImageBitmap(new Blob([new Uint8Array(data, 4 + length)], { type: "image/jpeg" }))
    tile.element.querySelector(".stage").style.setProperty("--ratio", image.width / image.height)
    draw(tile.canvas, tile.answer, { style, marks: tile.marks, followed: tile.people.followed, image })
    tile.people.show(tile.answer.people)
    tile.marks.count(tile.answer.places)
    image.close()
    if (socket.readyState === WebSocket.OPEN) socket.send("next")
  }
  socket.onclose = () => tiles.get(tile.id) === tile && tile.camera?.state !== "ended" && setTimeout(() => tiles.get(tile.id) === tile && connect(tile), EVERY)
}

function remove(id) {
  const tile = tiles.get(id)
  tiles.delete(id)
  tile.socket.close()
  tile.element.remove()
}

async function act(tile, event) {
  const what = event.target.closest("[data-do]")?.dataset.do
  if (what === "enlarge") {
    if (tile.marks.owns(event)) return
    const large = tile.element.classList.contains("large")
    const hit = large && tile.answer && event.detail ? personAt(tile.canvas, tile.answer, event) : null
    if (hit === null) enlarge(large ? null : tile)
    else tile.people.follow(hit)
  } else if (what === "stop") {
    await attempt(() => request(`/api/cameras/${tile.id}`, { method: "DELETE" }))
    await refresh()
  } else if (what === "blur") {
    await change(tile, { blur_faces: !tile.camera.blur_faces })
  } else if (what === "mark") {
    const open = tile.element.querySelector(".marks").hidden
    enlarge(tile)
    openMarks(tile, open)
  } else if (what === "rename") {
    const name = await ask({ title: "Name of the camera", value: tile.camera.name })
    if (name) await change(tile, { name })
  }
}

async function change(tile, json) {
  await attempt(() => request(`/api/cameras/${tile.id}`, { method: "PATCH", json }))
  await refresh()
}

function openMarks(tile, open) {
  tile.element.querySelector(".marks").hidden = !open
  tile.element.querySelector("[data-do=mark]").setAttribute("aria-expanded", open)
  if (!open) tile.marks.cancel()
}

function enlarge(tile) {
  for (const other of tiles.values()) {
    other.element.classList.toggle("large", other === tile)
    if (other === tile) continue
    other.people.follow(null)
    openMarks(other, false)
  }
  tile?.element.scrollIntoView({ block: "nearest" })
}
