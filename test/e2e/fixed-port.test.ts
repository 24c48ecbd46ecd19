import t from 'tap'
import {freePort} from '../rig/free-port.ts'
import {openRig} from '../rig/rig.ts'

/** The number stands in the code. */
const NODE = (port: number): string => `
const http = process.getBuiltinModule('node:http')
const server = http.createServer((request, response) => response.end('node at ' + server.address().port))
server.listen(${port}, () => console.log('node at ' + server.address().port))
`
const PYTHON = (port: number): string => `
from http.server import BaseHTTPRequestHandler, HTTPServer

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"python")

server = HTTPServer(("0.0.0.0", ${port}), Handler)
print("python at", server.server_port)
server.serve_forever()
`

const textAt = async (port: number): Promise<string> => (await fetch(`http://127.0.0.1:${port}/`)).text()

t.test('programs with one number in their code run side by side, each called at its own port', async t => {
  const rig = await openRig(t)
  const [inside, first, second] = [await freePort(), await freePort(), await freePort()]
  await rig.write({
    'node.mjs': NODE(inside),
    'python.py': PYTHON(inside),
    'first.mjs': NODE(first),
    'warm.cjs': 'console.log("warm")',
    'dapr.yaml': JSON.stringify({
      version: 1,
      apps: [
        {
          appID: 'own',
          appDirPath: '.',
          port: first,
          env: {NODE_OPTIONS: '--require ./warm.cjs'},
          command: ['node', 'first.mjs']
        },
        {appID: 'node', appDirPath: '.', port: second, fixedPort: inside, command: ['node', 'node.mjs']},
        {appID: 'python', appDirPath: '.', port: inside, command: ['python3', 'python.py']}
      ]
    })
  })
  const run = rig.pillion(['run', '-f', '.'])
  await run.ports('python')
  t.equal(await textAt(first), `node at ${first}`, 'what it believes of itself is where it is called')
  t.equal(await textAt(second), `node at ${inside}`)
  t.equal(await textAt(inside), 'python')
  await run.waitForLine(`== APP - python == python at ${inside}`)
  await run.waitForLine('== APP - own == warm')
  t.match(await rig.run(['url', 'own']), {code: 0, stdout: `http://localhost:${first}\n`})
  const ps = await rig.run(['ps'])
  t.match(ps.stdout, `http://localhost:${second}`)
})

t.test('a named copy is called at another port', async t => {
  const rig = await openRig(t)
  const [port, appPort] = [await freePort(), await freePort()]
  await rig.write({
    'app.mjs': `${NODE(port)}\nconsole.log('Local: http://localhost:${port}/')`,
    'dapr.yaml': JSON.stringify({
      version: 1,
      apps: [
        {appID: 'api', appDirPath: '.', port, command: ['node', 'app.mjs']},
        {
          appID: 'web',
          appDirPath: '.',
          appPort,
          env: {API: `http://localhost:${port}`},
          command: ['sh', '-c', 'echo "API=$API"; sleep 600']
        }
      ]
    })
  })
  const run = rig.pillion(['run', '-f', '.', '--name', 'Pr-7', '--isolated'])
  t.match(
    await run.waitForLine('other ports: --isolated: api', {stream: 'stderr'}),
    new RegExp(`api ${port} → \\d+, web ${appPort} → \\d+`)
  )
  await run.waitForLine('API=http://localhost:')
  const {stdout} = await rig.run(['url', 'api', '--name', 'Pr-7'])
  const [, moved = ''] = /^http:\/\/localhost:(\d+)\n$/.exec(stdout) ?? []
  t.not(moved, port.toString())
  t.equal(await (await fetch(`http://127.0.0.1:${moved}/`)).text(), `node at ${port}`)
  await run.waitForLine(`API=http://localhost:${moved}`)
  await run.waitForLine(`== APP - api == callers reach it at http://localhost:${moved}`)
})

t.test('run --port does the same for a single app', async t => {
  const rig = await openRig(t)
  const port = await freePort()
  await rig.write({'app.mjs': NODE(port)})
  rig.pillion(['run', '--app-id', 'api', '--port', port.toString(), '--', 'node', 'app.mjs'])
  await rig.run(['wait', '--for', 'ready:api'])
  t.equal(await (await fetch(`http://localhost:${port}/`)).text(), `node at ${port}`)
})

t.test('a program that listens elsewhere, or cannot listen, is named with what to change', async t => {
  const rig = await openRig(t)
  const [other, port, silent] = [await freePort(), await freePort(), await freePort()]
  const [said, inspected] = [await freePort(), await freePort()]
  await rig.write({
    'moved-on.mjs': NODE(other),
    'silent.mjs': `
// as a program that calls its callback with the error, and ends
console.log('listening')
`,
    'said.mjs': `console.log('0.0.0.0:${said} already in use'); process.exit(1)`,
    'late.mjs': 'setTimeout(() => undefined, 600_000)',
    'dapr.yaml': JSON.stringify({
      version: 1,
      apps: [
        {appID: 'moved-on', appDirPath: '.', port, command: ['node', 'moved-on.mjs']},
        {
          appID: 'late',
          appDirPath: '.',
          port: inspected,
          ready: {timeout: '6s'},
          command: ['node', `--inspect=${await freePort()}`, 'late.mjs']
        },
        {appID: 'silent', appDirPath: '.', port: silent, command: ['node', 'silent.mjs']},
        {appID: 'said', appDirPath: '.', port: said, command: ['node', 'said.mjs']}
      ]
    })
  })
  const run = rig.pillion(['run', '-f', '.'])
  const line = await run.waitForLine(/"moved-on" listens on port \d+, and not on/, {stream: 'stderr'})
  t.match(line, `write fixedPort: ${other}, the number that it has in its code`)
  await run.waitForLine('"silent" ended with 0 before it listened', {stream: 'stderr'})
  await run.waitForLine('"said" could not listen', {stream: 'stderr'})
  // its process is as old as that of "moved-on", and only a debugger may connect to it
  await run.waitForLine('"late" is not ready', {stream: 'stderr'})
  t.match((await rig.run(['why', 'late'])).stdout, 'it does not listen on any port')
  t.notMatch(run.stderr.text, '"late" listens on')
})
