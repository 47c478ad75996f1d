// Print the people of a camera of `posetrack serve --source 0`, frame by frame: `node web_client.mjs [address]`
const server = process.argv[2] ?? "http://127.0.0.1:8000"
const [camera] = await (await fetch(`${server}/api/cameras`)).json()
const answer = await fetch(`${server}/api/cameras/${camera.id}/people`)

let rest = ""
for await (const part of answer.body.pipeThrough(new TextDecoderStream())) {
  const lines = (rest + part).split("\n")
  rest = lines.pop() // not complete yet
  for (const { time, people } of lines.map((line) => JSON.parse(line))) {
    console.log(time.toFixed(2), people.map(({ id, posture, angles }) => `${id}: ${posture} ${angles.left_knee ?? "?"}°`).join(", "))
  }
}
