// The live page: the newest frame of the browser's camera goes up, people come down and are drawn over the video.
import { color, draw, loadSkeleton, personAt } from "./draw.js"
import { Marks } from "./marks.js"
import { say, socketOf } from "./request.js"
import { Sender } from "./sender.js"
import { showChoices, style } from "./style.js"

const $ = (name) => document.getElementById(`live-${name}`)
const KEPT = 300 // latencies in the figures
const isHere = ["localhost", "127.0.0.1", "[::1]"].includes(location.hostname)
let stream, socket, sender, answer, followed, marks
let drawing // when the frame of the answer that waits to be drawn was captured, ms of performance.now()
let latencies = []
let ticks = []

export function start() {
  $("where").textContent = `The pictures ${isHere ? "stay on this computer" : `go to ${location.host} only`}, and none is kept.`
  showChoices(document.getElementById("live"))
  $("start").onclick = begin
  $("stop").onclick = stop
  $("mirror").onchange = () => $("video").classList.toggle("mirrored", $("mirror").checked)
  $("device").onchange = () => {
    if (stream) begin()
  }
  $("canvas").onclick = (event) => {
    if (answer && !marks.click(event)) follow(personAt($("canvas"), answer, event, $("mirror").checked))
  }
  marks ??= new Marks({
    panel: $("marks"),
    stage: $("canvas"),
    canvas: $("canvas"),
    size: () => answer?.size ?? null,
    changed: (scene) => tell({ scene }),
    mirror: () => $("mirror").checked,
  })
  $("mirror").onchange()
}

export function stop() {
  for (const track of stream?.getTracks() ?? []) track.stop()
  socket?.close()
  stream = socket = sender = answer = drawing = undefined
  $("video").srcObject = null
  $("canvas").getContext("2d").clearRect(0, 0, $("canvas").width, $("canvas").height)
  $("cover").hidden = false
  $("stop").hidden = true
  list([])
}

async function begin() {
  stop()
  say($("message"), "")
  try {
    if (!navigator.mediaDevices) throw new Error("The browser gives a camera only to https and to localhost.")
    await loadSkeleton()
    const deviceId = $("device").value ? { exact: $("device").value } : undefined
    stream = await navigator.mediaDevices.getUserMedia({ video: { deviceId, width: { ideal: 1280 }, frameRate: { ideal: 30 } } })
    $("video").srcObject = stream
    await $("video").play()
    await listDevices()
  } catch (error) {
    stop()
    return say($("message"), explain(error))
  }
  $("cover").hidden = true
  $("stop").hidden = false
  $("stage").style.setProperty("--ratio", $("video").videoWidth / $("video").videoHeight)
  ;[latencies, ticks, followed] = [[], [], null]
  connect()
}

function explain(error) {
  const known = {
    NotAllowedError: "The browser was not allowed to use the camera. Allow it in the address bar.",
    NotFoundError: "There is no camera. Plug one in.",
    NotReadableError: "Another program uses the camera. Close it.",
  }
  return known[error.name] ?? error.message
}

async function listDevices() {
  const devices = (await navigator.mediaDevices.enumerateDevices()).filter(({ kind }) => kind === "videoinput")
  const chosen = stream.getVideoTracks()[0].getSettings().deviceId
  $("device").replaceChildren(...devices.map((device, i) => new Option(device.label || `Camera ${i + 1}`, device.deviceId, false, device.deviceId === chosen)))
}

function connect() {
  const own = (socket = socketOf("/api/live"))
  own.onopen = () => {
    sender = new Sender($("video"), own, () => Number($("width").value))
    tell({ scene: marks.scene })
  }
  own.onmessage = ({ data }) => {
    if (own !== socket) return
    const message = JSON.parse(data)
    if (message.error) return say($("message"), message.error)
    const waits = drawing // an older answer, which this one replaces
    answer = message
    marks.fit(answer.size[0])
    drawing = sender.answered(answer)
    if (waits === undefined) requestAnimationFrame(() => own === socket && show())
  }
  own.onclose = ({ reason }) => {
    if (own !== socket) return
    stop()
    say($("message"), `The connection to the server ended${reason ? `: ${reason}` : ""}. Start the camera again.`)
  }
}

function tell(what) {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(what))
}

function show() {
  const captured = drawing
  drawing = undefined
  const mirror = $("mirror").checked
  draw($("canvas"), answer, { style, marks, followed, mirror, blur: $("blur").checked ? sender.picture : null })
  list(answer.people)
  marks.count(answer.places)
  const now = performance.now()
  latencies = [...latencies, now - captured].slice(-KEPT)
  ticks = [...ticks, now].filter((tick) => now - tick < 2000)
  tell({ latency_ms: now - captured })
  const sorted = latencies.toSorted((a, b) => a - b)
  const share = (part) => `${Math.round(sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))])} ms`
  $("fps").textContent = ticks.length > 1 ? ((1000 * (ticks.length - 1)) / (now - ticks[0])).toFixed(1) : "–"
  $("median").textContent = share(0.5)
  $("p95").textContent = share(0.95)
  $("count").textContent = answer.people.length
}

function follow(id) {
  followed = id === followed ? null : id
  list(answer?.people ?? [])
}

/** Keep one row per person: a button that follows them, posture and counts. */
function list(people) {
  const place = $("people")
  const rows = new Map([...place.children].map((row) => [Number(row.dataset.id), row]))
  for (const [id, row] of rows) if (!people.some((person) => person.id === id)) row.remove()
  for (const person of people.toSorted((a, b) => a.id - b.id)) {
    const row = rows.get(person.id) ?? place.appendChild(newRow(person.id))
    row.querySelector("button").setAttribute("aria-pressed", person.id === followed)
    const counts = Object.entries(person.counts).map(([name, count]) => `${name.replaceAll("_", " ")} ${count}`)
    row.querySelector(".posture").textContent = [person.posture || "…", ...metres(person)].join(" · ")
    row.querySelector(".counts").textContent = counts.join(" · ")
  }
  $("empty").hidden = people.length > 0
}

function metres({ height_m: height, speed_m_s: speed }) {
  return [height && `${height.toFixed(2)} m`, speed !== undefined && `${speed.toFixed(1)} m/s`].filter(Boolean)
}

function newRow(id) {
  const row = document.createElement("li")
  row.dataset.id = id
  const button = Object.assign(document.createElement("button"), { type: "button", textContent: id })
  button.setAttribute("aria-label", `Follow person ${id}`)
  button.style.setProperty("--chip", color(id))
  button.onclick = () => follow(id)
  row.append(button, ...["posture", "counts"].map((name) => Object.assign(document.createElement("span"), { className: name })))
  return row
}
