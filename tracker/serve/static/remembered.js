// What the browser remembers between visits.

/** Return what was remembered under a name; an empty object if nothing. */
export function recall(name) {
  try {
    return JSON.parse(localStorage.getItem(`posetrack-${name}`)) ?? {}
  } catch {
    return {}
  }
}

export function remember(name, value) {
  localStorage.setItem(`posetrack-${name}`, JSON.stringify(value))
}
