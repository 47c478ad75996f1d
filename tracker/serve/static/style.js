// The choices of how people are drawn, remembered by the browser.

const KEY = "posetrack-drawing"
const names = ["sides", "boxes", "knee", "hip", "elbow", "shoulder"]

export const style = { sides: false, boxes: true, knee: true, hip: false, elbow: false, shoulder: false, ...stored() }

function stored() {
  try {
    return JSON.parse(localStorage.getItem(KEY)) ?? {}
  } catch {
    return {}
  }
}

export function showChoices(section) {
  const place = section.querySelector(".style")
  if (!place.children.length) place.append(document.getElementById("style-choices").content.cloneNode(true))
  for (const name of names) {
    const box = place.querySelector(`[name=${name}]`)
    box.checked = style[name]
    box.onchange = () => {
      style[name] = box.checked
      localStorage.setItem(KEY, JSON.stringify(style))
    }
  }
}
