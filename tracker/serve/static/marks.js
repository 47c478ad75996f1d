// Lines, regions and a known length that a user draws on an image, in its pixels: the `scene` of the API.
import { pointOf } from "./canvas.js"
import { ask } from "./dialog.js"
import { empty, lengthOf, textOf, words } from "./scene.js"

const HINTS = {
  lines: "Click both ends, or drag from one to the other. People who cross to the side of the arrow count as in.",
  zones: "Click the corners, then Done.",
  known_length: "Click or drag from end to end of an object of known length, at the distance of the people.",
}
const KEYS = matchMedia("(hover: hover)").matches ? " With the keyboard, arrow keys move the cross, the space bar sets a point." : ""
const RESTING = "People are counted by the position of their feet."
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }
const CLOSE = 0.03 // of the width; a point so near to the first corner ends a region, and so near to the last one is the same
const NAMES = { lines: "line", zones: "region" }

/**
 * The panel of marks and the drawing of new ones.
 * `stage` takes the pointer and the keys, `canvas` shows the image, `size()` is that of the image, null before the first,
 * `changed(scene)` takes what the user has marked.
 */
export class Marks {
  scene = empty()
  #ended = new AbortController()
  draft = null // { kind, points, cursor } while something is drawn
  #pressed = false // whether something was drawn when the pointer went down, so that the click is not for others

  constructor({ panel, stage, canvas, size, changed, mirror = () => false }) {
    Object.assign(this, { panel, stage, canvas, size, changed, mirror })
    panel.replaceChildren(document.getElementById("marks").content.cloneNode(true))
    for (const button of panel.querySelectorAll("[data-kind]")) button.onclick = () => this.#begin(button.dataset.kind)
    const acts = { undo: () => this.#undo(), done: () => this.#finish(), cancel: () => this.cancel() }
    for (const [name, act] of Object.entries(acts)) panel.querySelector(`[data-draft=${name}]`).onclick = act
    this.height = panel.querySelector("[name=height]")
    this.height.onchange = () => this.#set({ person_height: this.height.checkValidity() && Number(this.height.value) || null, known_length: null })
    const { signal } = this.#ended
    stage.addEventListener("keydown", (event) => this.draft && this.#key(event), { signal })
    for (const type of ["pointerdown", "pointermove", "pointerup"]) stage.addEventListener(type, (event) => this.#pointer(event), { signal })
    stage.addEventListener("touchend", (event) => this.#pressed && event.cancelable && event.preventDefault(), { signal }) // no click on what opens below the finger
    this.#hint()
  }

  /** Take the scene that the server has, unless the user is drawing. */
  take(scene) {
    if (!this.draft) this.#show(scene)
  }

  /** Take marks that were made in images of a width; none if there are none. */
  restore({ scene = empty(), width } = {}) {
    this.width = width
    this.take(scene)
  }

  /** Change the scale of all marks, when images of another width are sent. */
  fit(width) {
    const ratio = width / (this.width ?? width)
    this.width = width
    if (ratio === 1) return
    const scaled = (points) => points.map(([x, y]) => [x * ratio, y * ratio])
    const all = (places) => Object.fromEntries(Object.entries(places).map(([name, points]) => [name, scaled(points)]))
    const length = lengthOf(this.scene)
    const known_length = length && textOf(scaled(length.points), length.metres)
    this.#set({ zones: all(this.scene.zones), lines: all(this.scene.lines), known_length })
  }

  /** Return whether a click on the stage belongs to what is drawn, or was until this click. */
  owns(click) {
    return Boolean(this.draft || (click.detail && this.#pressed)) // a click without detail is the keyboard's
  }

  /** Show the counts of an answer in the list. */
  count(places = {}) {
    for (const row of this.panel.querySelectorAll(".places li")) {
      const place = places[row.dataset.name]
      if (place) row.querySelector(".note").textContent = words(place)
    }
  }

  /** End what is drawn. */
  cancel() {
    this.draft = null
    this.stage.classList.remove("drawing")
    this.#hint()
  }

  /** Let go of the stage. */
  end() {
    this.cancel()
    this.#ended.abort()
  }

  #begin(kind) {
    if (!this.size()) return this.#hint("There is no image yet.")
    const [width, height] = this.size()
    this.draft = { kind, points: [], cursor: [width / 2, height / 2] }
    this.#hint()
    this.stage.classList.add("drawing")
    this.stage.focus()
  }

  #at(event) {
    const [x, y] = pointOf(this.canvas, this.size(), event, this.mirror())
    return this.#inside(x, y)
  }

  #inside(x, y) {
    const [width, height] = this.size()
    return [Math.min(width, Math.max(0, x)), Math.min(height, Math.max(0, y))]
  }

  #near(one, other) {
    return Math.hypot(one[0] - other[0], one[1] - other[1]) < CLOSE * this.size()[0]
  }

  /** Set a point where the pointer is released; the first one where it goes down, so that a line may be dragged. */
  #pointer(event) {
    if (event.type === "pointerdown") this.#pressed = Boolean(this.draft)
    if (!this.draft) return
    this.draft.cursor = this.#at(event)
    if (event.type === "pointerdown") this.stage.setPointerCapture(event.pointerId)
    if (event.type === "pointerup" || (event.type === "pointerdown" && !this.draft.points.length)) this.#point(this.draft.cursor)
  }

  #key(event) {
    const { draft } = this
    const step = STEPS[event.key]
    if (step) {
      const across = this.mirror() ? -step[0] : step[0]
      const far = this.size()[0] / (event.shiftKey ? 200 : 50)
      draft.cursor = this.#inside(draft.cursor[0] + across * far, draft.cursor[1] + step[1] * far)
    } else if (event.key === " ") this.#point(draft.cursor)
    else if (event.key === "Enter" && this.#complete) this.#finish()
    else if (event.key === "Enter") this.#point(draft.cursor)
    else if (event.key === "Backspace") this.#undo()
    else if (event.key === "Escape") this.cancel()
    else return
    event.preventDefault()
    event.stopPropagation()
  }

  /** Whether a region has enough corners. */
  get #complete() {
    return this.draft.kind === "zones" && this.draft.points.length > 2
  }

  #point([x, y]) {
    const { kind, points } = this.draft
    if (this.#complete && this.#near(points[0], [x, y])) return this.#finish()
    if (points.length && this.#near(points.at(-1), [x, y])) return // a double click, or the end of a press
    points.push([Math.round(x * 10) / 10, Math.round(y * 10) / 10])
    if (kind !== "zones" && points.length === 2) this.#finish()
    else this.#hint()
  }

  #undo() {
    this.draft.points.pop()
    this.#hint()
  }

  async #finish() {
    const { kind, points } = this.draft
    this.cancel()
    if (kind === "known_length") {
      const metres = await ask({ title: "Length in metres", type: "number" })
      if (Number(metres) > 0) this.#set({ known_length: textOf(points, Number(metres)), person_height: null })
    } else {
      let number = 1
      while (`${NAMES[kind]} ${number}` in this.scene[kind]) number++
      this.#set({ [kind]: { ...this.scene[kind], [`${NAMES[kind]} ${number}`]: points } })
    }
  }

  #set(change) {
    this.#show({ ...this.scene, ...change })
    this.changed(this.scene)
  }

  /** Say what to do next, and offer what is possible. */
  #hint(text = this.draft ? `${HINTS[this.draft.kind]}${KEYS}` : RESTING) {
    this.panel.querySelector("[role=status]").textContent = text
    this.panel.querySelector(".draft .actions").hidden = !this.draft
    if (!this.draft) return
    this.panel.querySelector("[data-draft=undo]").disabled = !this.draft.points.length
    Object.assign(this.panel.querySelector("[data-draft=done]"), { hidden: this.draft.kind !== "zones", disabled: !this.#complete })
  }

  #show(scene) {
    if (JSON.stringify(scene) === JSON.stringify(this.scene)) return
    this.scene = scene
    this.height.value = scene.person_height ?? ""
    const rows = ["lines", "zones"].flatMap((kind) => Object.keys(scene[kind]).map((name) => this.#row(kind, name)))
    if (scene.known_length) rows.push(this.#length(lengthOf(scene)))
    this.panel.querySelector(".places").replaceChildren(...rows)
  }

  #row(kind, name) {
    const input = element("input", { value: name, maxLength: 40, ariaLabel: `Name of ${name}` })
    input.onchange = () => this.#rename(kind, name, input)
    const rest = () => Object.fromEntries(Object.entries(this.scene[kind]).filter(([other]) => other !== name))
    const remove = element("button", { type: "button", textContent: "Remove", ariaLabel: `Remove ${name}`, onclick: () => this.#set({ [kind]: rest() }) })
    const row = element("li", {}, input, remove, element("span", { className: "note", textContent: "…" }))
    row.dataset.name = name
    return row
  }

  #length({ metres }) {
    const remove = element("button", { type: "button", textContent: "Remove", ariaLabel: "Remove the known length", onclick: () => this.#set({ known_length: null }) })
    return element("li", {}, element("span", { textContent: `Known length, ${metres} m` }), remove)
  }

  #rename(kind, name, input) {
    const wanted = input.value.trim()
    if (!wanted || wanted in this.scene.lines || wanted in this.scene.zones) input.value = name
    else this.#set({ [kind]: Object.fromEntries(Object.entries(this.scene[kind]).map(([other, points]) => [other === name ? wanted : other, points])) })
  }
}

const element = (tag, facts, ...children) => {
  const made = Object.assign(document.createElement(tag), facts)
  made.append(...children)
  return made
}
