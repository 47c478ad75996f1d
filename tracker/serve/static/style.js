// The choices of how people are drawn, remembered by the browser.
import { recall, remember } from "./remembered.js"

const names = ["sides", "boxes", "knee", "hip", "elbow", "shoulder"]

export const style = { sides: false, boxes: true, knee: true, hip: false, elbow: false, shoulder: false, ...recall("drawing") }

export function showChoices(section) {
  const place = section.querySelector(".style")
  if (!place.children.length) place.append(document.getElementById("style-choices").content.cloneNode(true))
  for (const name of names) {
    const box = place.querySelector(`[name=${name}]`)
    box.checked = style[name]
    box.onchange = () => {
      style[name] = box.checked
      remember("drawing", style)
    }
  }
}
