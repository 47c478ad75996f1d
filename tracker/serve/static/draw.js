// Draws the people of an answer: skeletons in the colours of the command line's overlay, ids, angles as arcs.
import { fillCircle, fit, label, pointOf, stroke } from "./canvas.js"
import { request } from "./request.js"
import { drawScene } from "./scene.js"

const GOLDEN = 0.618033988749895 // as tracker/output/palette.py
const MIN_SCORE = 0.2
const YELLOW = "#ffd84d"
// Where an angle is 0: in line with the limb that comes from the first point, or, at the shoulder, along the trunk.
const JOINTS = {
  knee: { from: "hip", to: "ankle", straight: true },
  hip: { from: "shoulder", to: "knee", straight: true },
  elbow: { from: "shoulder", to: "wrist", straight: true },
  shoulder: { from: "hip", to: "elbow", straight: false },
}

let skeleton // names and limbs, asked for once

export async function loadSkeleton() {
  skeleton ??= await request("/api/skeleton")
}

const hue = (id) => ((id * GOLDEN) % 1) * 360
export const color = (id) => `oklch(0.76 0.16 ${hue(id)})`

function shades(id, sides) {
  if (sides) return { left: "oklch(0.74 0.15 234)", middle: "#f5f5f5", right: "oklch(0.74 0.17 50.4)" }
  return { left: `oklch(0.86 0.12 ${hue(id)})`, middle: color(id), right: `oklch(0.68 0.18 ${hue(id)})` }
}

function sideOf(a, b) {
  for (const side of ["left", "right"]) {
    if (skeleton.keypoints[a].startsWith(side) && skeleton.keypoints[b].startsWith(side)) return side
  }
  return "middle"
}

/**
 * Draw an answer on a canvas, which gets the size in which it is shown.
 * `image` is drawn below the people, if given. `marks` are drawn with the counts of the answer. `followed` is the id of the person who stands out; null is all people.
 */
export function draw(canvas, answer, { style, marks, followed = null, mirror = false, image = null, blur = null }) {
  const [width, height] = fit(canvas)
  const context = canvas.getContext("2d")
  context.clearRect(0, 0, width, height)
  const scale = width / answer.size[0]
  const place = ([x, y]) => [mirror ? width - x * scale : x * scale, y * scale]
  if (image) context.drawImage(image, 0, 0, width, height)
  if (blur) for (const person of answer.people) hideFace(context, person, { image: blur, scale, mirror, width, size: answer.size })
  const thick = Math.max(2, (width + height) / 500)
  drawScene(context, marks, answer.places ?? {}, { place, thick })
  const people = answer.people.toSorted((a, b) => a.box[3] - b.box[3]) // nearer people over others
  for (const person of people) {
    context.globalAlpha = followed === null || followed === person.id ? 1 : 0.25
    drawPerson(context, person, { style, place, thick })
  }
  context.globalAlpha = 1
}

function drawPerson(context, person, { style, place, thick }) {
  const colors = shades(person.id, style.sides)
  const points = person.keypoints.map(([x, y, score]) => (x === null || score < MIN_SCORE ? null : place([x, y])))
  const [a, b] = [place(person.box.slice(0, 2)), place(person.box.slice(2))]
  const [left, top] = [Math.min(a[0], b[0]), a[1]]
  context.lineCap = context.lineJoin = "round"
  if (style.boxes) {
    context.setLineDash(person.state === "measured" ? [] : [3 * thick, 3 * thick])
    stroke(context, color(person.id), thick / 2, () => context.rect(left, top, Math.abs(b[0] - a[0]), b[1] - a[1]))
    context.setLineDash([])
  }
  const limbs = skeleton.limbs.filter(([i, j]) => points[i] && points[j])
  for (const [shade, extra] of [["rgb(0 0 0 / 0.55)", thick * 0.8], [null, 0]]) {
    for (const [i, j] of limbs) {
      stroke(context, shade ?? colors[sideOf(i, j)], thick + extra, () => {
        context.moveTo(...points[i])
        context.lineTo(...points[j])
      })
    }
  }
  context.fillStyle = "#fff"
  for (const point of points) if (point) fillCircle(context, point, thick * 0.9)
  for (const [joint, ends] of Object.entries(JOINTS)) if (style[joint]) drawAngles(context, person, joint, ends, points, thick)
  label(context, String(person.id), [left, top], { thick, fill: color(person.id), ink: "#181818", above: true })
}

function drawAngles(context, person, joint, { from, to, straight }, points, thick) {
  for (const side of ["left", "right"]) {
    const at = (part) => points[skeleton.keypoints.indexOf(`${side}_${part}`)]
    const [corner, one, other] = [at(joint), at(from), at(to)]
    const value = person.angles?.[`${side}_${joint}`]
    if (!corner || !one || !other || value === undefined) continue
    const angle = (point) => Math.atan2(point[1] - corner[1], point[0] - corner[0])
    const zero = angle(one) + (straight ? Math.PI : 0)
    const turn = ((((angle(other) - zero + Math.PI) % (2 * Math.PI)) + 2 * Math.PI) % (2 * Math.PI)) - Math.PI // the smaller way around
    const reach = Math.min(...[one, other].map((point) => Math.hypot(point[0] - corner[0], point[1] - corner[1])))
    const along = (direction, length) => [corner[0] + Math.cos(direction) * length, corner[1] + Math.sin(direction) * length]
    stroke(context, YELLOW, thick * 0.5, () => {
      context.moveTo(...corner)
      context.lineTo(...along(zero, reach * 0.45))
    })
    stroke(context, YELLOW, thick * 0.9, () => context.arc(...corner, reach * 0.38, zero, zero + turn, turn < 0))
    const beside = along(zero + turn / 2, reach * 0.38)
    const twin = points[skeleton.keypoints.indexOf(`${side === "left" ? "right" : "left"}_${joint}`)]
    const outwards = (twin ? corner[0] - twin[0] : Math.cos(zero + turn / 2)) < 0 ? -1 : 1 // away from the other side's number
    label(context, `${Math.round(value)}°`, [beside[0] + outwards * thick * 9, beside[1]], { thick, fill: "rgb(0 0 0 / 0.6)", ink: YELLOW })
  }
}

/** Cover the head with a few blocks of the image, so that the person is not recognisable. */
function hideFace(context, person, { image, scale, mirror, width, size }) {
  const face = person.keypoints.slice(0, 5).filter(([x, , score]) => x !== null && score >= 0.1)
  const [x1, y1, x2, y2] = person.box
  const side = Math.max(x2 - x1, y2 - y1)
  const mean = (i) => face.reduce((sum, point) => sum + point[i], 0) / face.length
  const [x, y] = face.length ? [mean(0), mean(1)] : [(x1 + x2) / 2, y1 + side * 0.12]
  const spread = Math.max(0, ...face.map((point) => Math.hypot(point[0] - x, point[1] - y)))
  const radius = Math.min(Math.max(2 * spread, side * 0.1), side * 0.4)
  const ratio = image.width / size[0]
  const few = new OffscreenCanvas(5, 5)
  few.getContext("2d").drawImage(image, (x - radius) * ratio, (y - radius) * ratio, 2 * radius * ratio, 2 * radius * ratio, 0, 0, 5, 5)
  context.save()
  context.beginPath()
  context.ellipse(mirror ? width - x * scale : x * scale, y * scale, radius * scale, radius * scale * 1.2, 0, 0, 2 * Math.PI)
  context.clip()
  const left = mirror ? width - (x + radius) * scale : (x - radius) * scale
  context.drawImage(few, left, (y - radius * 1.2) * scale, 2 * radius * scale, 2.4 * radius * scale)
  context.restore()
}

/** Return the id of the person at a place of a canvas, the smallest box first; null if there is none. */
export function personAt(canvas, answer, event, mirror = false) {
  const [x, y] = pointOf(canvas, answer.size, event, mirror)
  const area = ({ box }) => (box[2] - box[0]) * (box[3] - box[1])
  const hit = answer.people.filter(({ box }) => box[0] <= x && x <= box[2] && box[1] <= y && y <= box[3])
  return hit.toSorted((a, b) => area(a) - area(b))[0]?.id ?? null
}
