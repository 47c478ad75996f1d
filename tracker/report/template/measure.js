// Measures between two clicked points of the image, which calibrate the next run.
;(() => {
  const button = document.getElementById("measure")
  const shown = document.getElementById("measured")
  const image = document.getElementById("video") ?? document.getElementById("image")
  if (!button) return
  const ruler = document.getElementById("ruler")
  const [width, height] = button.dataset.size.split(",").map(Number)
  let points // of the source, pixels; undefined while clicks do nothing

  function show() {
    button.setAttribute("aria-pressed", String(Boolean(points)))
    ruler.toggleAttribute("hidden", !points)
    shown.hidden = !points
    if (!points) return
    const box = image.getBoundingClientRect()
    const stage = image.parentElement.getBoundingClientRect()
    Object.assign(ruler.style, {
      left: `${box.left - stage.left}px`,
      top: `${box.top - stage.top}px`,
      width: `${box.width}px`,
      height: `${box.height}px`,
    })
    const [a, b = a] = points
    ruler.querySelectorAll("path").forEach((path) => path.setAttribute("d", a ? `M${a} L${b}` : ""))
    const line = points.flat().join(",")
    const long = b && Math.hypot(b[0] - a[0], b[1] - a[1])
    shown.textContent =
      points.length < 2
        ? `Click the ${points.length ? "second" : "first"} of two points.`
        : `${long.toFixed(0)} px. If their distance is known: --known-length ${line},METRES. If both are on the floor: --floor ${line}`
  }

  button.addEventListener("click", () => {
    points = points ? undefined : []
    show()
  })
  image.addEventListener("click", (event) => {
    if (!points) return
    event.preventDefault() // a click would play the video
    const box = image.getBoundingClientRect()
    const at = [((event.clientX - box.left) / box.width) * width, ((event.clientY - box.top) / box.height) * height]
    points = [...(points.length < 2 ? points : []), at.map(Math.round)]
    show()
  })
  addEventListener("resize", show)
})()
