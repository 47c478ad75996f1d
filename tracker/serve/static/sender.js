// Sends the newest frames of a video up a socket, at the pace of the server.

const AHEAD = 15 // ms that a frame needs to be encoded, sent and decoded
const QUALITY = 0.8

/**
 * Keeps the server busy without a queue: the next frame is sent shortly before the server has finished the last one.
 * `width()` is that of the frames that are sent. `image` is the canvas with the newest of them.
 */
export class Sender {
  constructor(video, socket, width) {
    Object.assign(this, { video, socket, width })
    this.image = document.createElement("canvas")
    this.waiting = new Map() // number of a frame: when it was captured, ms of performance.now()
    this.sent = 0
    this.due = true
    this.captured = null // of the video's newest frame; null once it is sent
    this.#watch()
  }

  get open() {
    return this.socket.readyState === WebSocket.OPEN
  }

  /** Note an answer, and return when its frame was captured. */
  answered({ frame, ms }) {
    const captured = this.waiting.get(frame)
    for (const number of this.waiting.keys()) if (number <= frame) this.waiting.delete(number) // older ones were dropped
    clearTimeout(this.timer)
    if (!this.waiting.size) this.#want()
    this.timer = setTimeout(() => this.#want(), ms - AHEAD)
    return captured
  }

  #want() {
    this.due = true
    this.#send()
  }

  /** Note when each frame was captured: by the browser's clock of the camera, or when it is shown. */
  #watch() {
    const next = (then) => (this.video.requestVideoFrameCallback ? this.video.requestVideoFrameCallback(then) : requestAnimationFrame(then))
    const noted = (now, { captureTime } = {}) => {
      if (this.socket.readyState > WebSocket.OPEN) return
      this.captured = captureTime && captureTime <= now && now - captureTime < 1000 ? captureTime : now
      this.#send()
      next(noted)
    }
    next(noted)
  }

  #send() {
    if (this.captured === null && document.hidden) this.captured = performance.now() // a hidden page is shown no frames
    if (!this.open || this.encoding || !this.due || this.captured === null) return
    const { video, image, captured } = this
    const width = Math.min(this.width(), video.videoWidth)
    const height = Math.round((width * video.videoHeight) / video.videoWidth)
    if (image.width !== width || image.height !== height) Object.assign(image, { width, height })
    image.getContext("2d").drawImage(video, 0, 0, width, height)
    this.captured = null
    this.due = false
    this.encoding = true
    image.toBlob((blob) => this.#encoded(blob, captured), "image/jpeg", QUALITY)
  }

  #encoded(blob, captured) {
    this.encoding = false
    if (!this.open) return
    this.waiting.set(this.sent++, captured)
    this.socket.send(blob)
    this.#send()
  }
}
