// The size of a canvas, strokes, circles and labels on it, and where a click is.

/** Give a canvas the size in which it is shown, and return it: [width, height]. */
export function fit(canvas) {
  const ratio = devicePixelRatio || 1
  const [width, height] = [Math.round(canvas.clientWidth * ratio), Math.round(canvas.clientHeight * ratio)]
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height })
  return [width, height]
}

export function stroke(context, color, width, path) {
  Object.assign(context, { strokeStyle: color, lineWidth: width })
  context.beginPath()
  path()
  context.stroke()
}

export function fillCircle(context, point, radius) {
  context.beginPath()
  context.arc(...point, radius, 0, 2 * Math.PI)
  context.fill()
}

export function label(context, text, [x, y], { thick, fill, ink, above = false }) {
  const size = Math.max(11 * (devicePixelRatio || 1), thick * 5)
  context.font = `600 ${size}px system-ui, sans-serif`
  context.textBaseline = "middle"
  const width = context.measureText(text).width + size * 0.6
  const [left, top] = above ? [Math.max(0, x), Math.max(0, y - size * 1.3)] : [Math.max(0, Math.min(x - width / 2, context.canvas.width - width)), y - size * 0.65]
  context.fillStyle = fill
  context.beginPath()
  context.roundRect(left, top, width, size * 1.3, size * 0.3)
  context.fill()
  context.fillStyle = ink
  context.fillText(text, left + size * 0.3, top + size * 0.68)
}

/** Return the place of an event in the image that a canvas shows, in pixels of the image. */
export function pointOf(canvas, size, event, mirror = false) {
  const bounds = canvas.getBoundingClientRect()
  const share = (event.clientX - bounds.left) / bounds.width
  return [(mirror ? 1 - share : share) * size[0], ((event.clientY - bounds.top) / bounds.height) * size[1]]
}
