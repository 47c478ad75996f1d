// Requests to the server; an error is the sentence that the server sent.

export async function request(path, { method = "GET", json } = {}) {
  const body = json === undefined ? {} : { body: JSON.stringify(json), headers: { "Content-Type": "application/json" } }
  let answer
  try {
    answer = await fetch(path, { method, ...body })
  } catch {
    throw new Error("The server does not answer. Is posetrack serve running?")
  }
  if (!answer.ok) throw new Error(sentence(await answer.text(), answer.status))
  return answer.status === 204 ? null : answer.json()
}

export function sentence(text, status) {
  try {
    return JSON.parse(text).detail
  } catch {
    return text || `The server answered with ${status}.`
  }
}

export const socketOf = (path) => new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${path}`)

export function say(element, text) {
  element.textContent = text
  element.hidden = !text
}
