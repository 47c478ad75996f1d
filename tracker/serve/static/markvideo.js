// Lets the user mark the first frame of a video before it is uploaded.
import { fit } from "./canvas.js"
import { Marks } from "./marks.js"
import { drawScene } from "./scene.js"

/** Return the scene that the user marked; null if they do not want to upload the video. */
export async function markVideo(file) {
  const video = await opened(file)
  const dialog = document.getElementById("mark-dialog")
  const [stage, canvas] = [dialog.querySelector(".stage"), dialog.querySelector("canvas")]
  const size = [video.videoWidth, video.videoHeight]
  stage.style.setProperty("--ratio", size[0] / size[1])
  document.getElementById("mark-title").textContent = file.name
  const marks = new Marks({ panel: dialog.querySelector(".marks"), stage, canvas, size: () => size, changed: () => {} })
  dialog.oncancel = (event) => marks.draft && event.preventDefault() // Escape ends what is drawn first
  for (const button of dialog.querySelectorAll("[data-do]")) button.onclick = () => dialog.close(button.dataset.do)
  dialog.returnValue = ""
  dialog.showModal()
  const show = () => {
    if (!dialog.open) return
    paint(canvas, video, marks)
    requestAnimationFrame(show)
  }
  show()
  const answer = await new Promise((resolve) => (dialog.onclose = () => resolve(dialog.returnValue)))
  URL.revokeObjectURL(video.src)
  marks.end()
  return answer === "ok" ? marks.scene : null
}

async function opened(file) {
  const video = Object.assign(document.createElement("video"), { muted: true, preload: "auto", src: URL.createObjectURL(file) })
  await new Promise((resolve, reject) => {
    video.onloadeddata = resolve
    video.onerror = () => reject(new Error(`The browser cannot show '${file.name}'. Upload it without "Count and measure".`))
  })
  return video
}

function paint(canvas, video, marks) {
  const [width, height] = fit(canvas)
  const context = canvas.getContext("2d")
  context.drawImage(video, 0, 0, width, height)
  const scale = width / video.videoWidth
  drawScene(context, marks, {}, { place: ([x, y]) => [x * scale, y * scale], thick: Math.max(2, (width + height) / 500) })
}
