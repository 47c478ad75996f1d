// The live page: the newest frame of the browser's camera goes up, people come down and are drawn over the video.
import { draw, loadSkeleton, personAt } from "./draw.js"
import { Marks } from "./marks.js"
import { People } from "./people.js"
import { recall, remember } from "./remembered.js"
import { say, socketOf } from "./request.js"
import { Sender } from "./sender.js"
import { showChoices, style } from "./style.js"

const $ = (name) => document.getElementById(`live-${name}`)
const KEPT = 300 // latencies in the figures
const isHere = ["localhost", "127.0.0.1", "[::1]"].includes(location.hostname)
const people = new People($("people"))
let stream, socket, sender, answer, marks
let drawing // when the frame of the answer that waits to be drawn was captured, ms of performance.now()
let latencies = []
let ticks = []

export function start() {
  $("where").textContent = `Images ${isHere ? "stay on this computer" : `go to ${location.host} only`} and are not stored.`
  showChoices(document.getElementById("live"))
  $("start").onclick = begin
  $("stop").onclick = stop
  $("mirror").onchange = () => $("video").classList.toggle("mirrored", $("mirror").checked)
  $("device").onchange = () => {
    if (stream) begin()
  }
  $("canvas").onclick = (event) => {
    if (answer && !marks.owns(event)) people.follow(personAt($("canvas"), answer, event, $("mirror").checked))
  }
  marks ??= new Marks({
    panel: $("marks"),
    stage: $("canvas"),
    canvas: $("canvas"),
    size: () => answer?.size ?? null,
    changed: (scene) => {
      remember("marks", { ...recall("marks"), [device()]: { scene, width: marks.width } })
      tell({ scene })
    },
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
  people.show([])
}

async function begin() {
  stop()
  say($("message"), "")
  try {
    if (!navigator.mediaDevices) throw new Error("Browsers allow cameras only on https and localhost.")
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
  ;[latencies, ticks] = [[], []]
  people.follow(null)
  marks.restore(recall("marks")[device()])
  connect()
}

function explain(error) {
  const known = {
    NotAllowedError: "The browser was not allowed to use the camera. Allow it in the address bar.",
    NotFoundError: "No camera was found. Connect one.",
    NotReadableError: "Another program uses the camera. Close it.",
  }
  return known[error.name] ?? error.message
}

async function listDevices() {
  const devices = (await navigator.mediaDevices.enumerateDevices()).filter(({ kind }) => kind === "videoinput")
  const chosen = device()
  $("device").replaceChildren(...devices.map((device, i) => new Option(device.label || `Camera ${i + 1}`, device.deviceId, false, device.deviceId === chosen)))
}

const device = () => stream.getVideoTracks()[0].getSettings().deviceId

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
  draw($("canvas"), answer, { style, marks, followed: people.followed, mirror, blur: $("blur").checked ? sender.image : null })
  people.show(answer.people)
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
