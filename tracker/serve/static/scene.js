// Marks of an image as the API has them: in words, as data, and drawn.
import { fillCircle, label, stroke } from "./canvas.js"

const CROSS = "#ffd84d"

export const empty = () => ({ zones: {}, lines: {}, person_height: null, known_length: null })

/** Return the two points and the metres of a scene's known length; null if it has none. */
export function lengthOf({ known_length }) {
  if (!known_length) return null
  const [x1, y1, x2, y2, metres] = known_length.split(",").map(Number)
  return { points: [[x1, y1], [x2, y2]], metres }
}

/** Return the counts of a line or region in words. */
export function words({ inside, lost, dwell_s: dwell, ...count }) {
  const parts = [`${count.in} in`, `${count.out} out`]
  if (inside !== undefined) parts.unshift(`${inside} inside`)
  if (lost) parts.push(`${lost} lost`)
  if (dwell) parts.push(`stay ${dwell.mean.toFixed(1)} s, longest ${dwell.max.toFixed(1)} s`)
  return parts.join(" · ")
}

export const textOf = (points, metres) => [...points.flat().map((value) => value.toFixed(1)), metres].join(",")

/**
 * Draw a scene, with the counts of an answer, and what the user is drawing.
 * `place` maps a point of the image to the canvas, `thick` is the width of a stroke.
 */
export function drawScene(context, { scene, draft }, counts, { place, thick }) {
  const pen = new Pen(context, place, thick)
  const summary = (name, { inside, ...count }) => `${name}: ${inside === undefined ? `${count.in} in, ${count.out} out` : `${inside} inside`}`
  const counted = (name) => (counts[name] ? summary(name, counts[name]) : name)
  for (const [name, points] of Object.entries(scene.zones)) {
    pen.area(points)
    pen.say(counted(name), points.reduce((highest, point) => (point[1] < highest[1] ? point : highest)))
  }
  for (const [name, points] of Object.entries(scene.lines)) {
    pen.line(points)
    pen.arrow(...points)
    pen.say(counted(name), points[0])
  }
  const length = lengthOf(scene)
  if (length) {
    pen.line(length.points)
    pen.dots(length.points, "#fff")
    pen.say(`${length.metres} m`, length.points[1])
  }
  if (!draft) return
  pen.line([...draft.points, draft.cursor])
  pen.dots(draft.points, CROSS)
  pen.cross(draft.cursor)
}

class Pen {
  constructor(context, place, thick) {
    Object.assign(this, { context, place, thick })
  }

  line(points, closed = false) {
    for (const [color, extra] of [["rgb(0 0 0 / 0.55)", this.thick], ["#fff", 0]]) {
      stroke(this.context, color, this.thick + extra, () => this.#path(points, closed))
    }
  }

  area(points) {
    this.context.fillStyle = "rgb(255 255 255 / 0.12)"
    this.context.beginPath()
    this.#path(points, true)
    this.context.fill()
    this.line(points, true)
  }

  /** Show the left side of a line, which is in. */
  arrow([x1, y1], [x2, y2]) {
    const [dx, dy] = [x2 - x1, y2 - y1]
    const at = (along, aside) => [x1 + along * dx + aside * dy, y1 + along * dy - aside * dx]
    this.line([at(0.8, 0), at(0.8, 0.12)])
    this.line([at(0.77, 0.07), at(0.8, 0.12), at(0.83, 0.07)])
  }

  dots(points, color) {
    this.context.fillStyle = color
    for (const point of points) fillCircle(this.context, this.place(point), 2 * this.thick)
  }

  cross(point) {
    const [x, y] = this.place(point)
    const reach = 6 * this.thick
    stroke(this.context, CROSS, this.thick, () => {
      this.context.moveTo(x - reach, y)
      this.context.lineTo(x + reach, y)
      this.context.moveTo(x, y - reach)
      this.context.lineTo(x, y + reach)
    })
  }

  say(text, point) {
    label(this.context, text, this.place(point), { thick: this.thick, fill: "rgb(0 0 0 / 0.6)", ink: "#fff" })
  }

  #path(points, closed) {
    points.forEach((point, i) => this.context[i ? "lineTo" : "moveTo"](...this.place(point)))
    if (closed) this.context.closePath()
  }
}
