// The list of the people in an answer: a button that follows each, posture, counts, and metres if they are known.
import { color } from "./draw.js"

export class People {
  followed = null // id of the person who stands out
  #people = []

  constructor(list) {
    this.list = list
  }

  /** Follow a person; the same one again, or null, follows nobody. */
  follow(id) {
    this.followed = id === this.followed ? null : id
    this.show(this.#people)
  }

  /** Show the people of an answer; each keeps their row, and with it the keyboard's focus. */
  show(people) {
    this.#people = people
    const rows = new Map([...this.list.children].map((row) => [Number(row.dataset.id), row]))
    for (const [id, row] of rows) if (!people.some((person) => person.id === id)) row.remove()
    for (const person of people.toSorted((a, b) => a.id - b.id)) {
      const row = rows.get(person.id) ?? this.list.appendChild(this.#row(person.id))
      row.querySelector("button").setAttribute("aria-pressed", person.id === this.followed)
      const counts = Object.entries(person.counts).map(([name, count]) => `${name.replaceAll("_", " ")} ${count}`)
      row.querySelector(".posture").textContent = [person.posture || "…", ...metres(person)].join(" · ")
      row.querySelector(".counts").textContent = counts.join(" · ")
    }
  }

  #row(id) {
    const row = document.createElement("li")
    row.dataset.id = id
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: id })
    button.setAttribute("aria-label", `Follow person ${id}`)
    button.style.setProperty("--chip", color(id))
    button.onclick = () => this.follow(id)
    row.append(button, ...["posture", "counts"].map((name) => Object.assign(document.createElement("span"), { className: name })))
    return row
  }
}

function metres({ height_m: height, speed_m_s: speed }) {
  return [height && `${height.toFixed(2)} m`, speed !== undefined && `${speed.toFixed(1)} m/s`].filter(Boolean)
}
