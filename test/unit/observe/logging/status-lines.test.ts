import t from 'tap'
import type {Exit} from '../../../../src/model/app-state.ts'
import * as status from '../../../../src/observe/logging/status-lines.ts'

const code = (n: number): Exit => ({kind: 'code', code: n})
const signal = (name: NodeJS.Signals): Exit => ({kind: 'signal', signal: name})
const utf8 = (text: string): string => Buffer.from(text, 'latin1').toString('utf8')

t.test("what an app's log says of its end", async t => {
  t.equal(status.plainly(status.appEnded(code(0))), 'Exited App successfully\n')
  t.equal(status.plainly(status.appEnded(code(3))), 'The App process exited with error code: exit status 3\n')
  t.equal(
    status.plainly(status.appEnded(signal('SIGKILL'))),
    'The App process exited with error code: signal: killed\n'
  )
  t.equal(status.plainly(status.errorExitingApp(code(3))), 'Error exiting App: exit status 3\n')
  t.equal(status.plainly(status.shuttingDown), '\ntermination signal received: shutting down\n')
})

t.test("what a sidecar's log says, from start to end", t => {
  const all = [
    status.startingDapr('shop', 41001, 41002),
    ...status.checkingSidecar(41001, 41002),
    ...status.updatingMetadata(1200, 'npm start', 1215),
    status.upAndRunning,
    status.shuttingDown,
    status.exitedDapr,
    status.exitedApp
  ]
  t.equal(
    all.map(status.plainly).join(''),
    `Starting Dapr with id shop. HTTP Port: 41001. gRPC Port: 41002
Checking if Dapr sidecar is listening on HTTP port 41001
Checking if Dapr sidecar is listening on GRPC port 41002
Dapr sidecar is up and running.
Updating metadata for cliPID: 1200
Updating metadata for app command: npm start
Updating metadata for appPID: 1215
You're up and running! Dapr logs will appear here.


termination signal received: shutting down
Exited Dapr successfully
Exited App successfully
`
  )
  t.same(status.updatingMetadata(7).map(status.plainly), ['Updating metadata for cliPID: 7\n'], 'without a command')
  t.equal(status.plainly(status.noCommand), 'No application command present\n')
  t.end()
})

t.test("on a console of Dapr's own a status stands behind its sign", async t => {
  t.equal(utf8(status.withSign(status.upAndRunning)), "✅  You're up and running! Dapr logs will appear here.\n\n")
  t.equal(utf8(status.withSign(status.shuttingDown)), 'ℹ️  \ntermination signal received: shutting down\n')
  t.equal(utf8(status.withSign(status.errorExitingApp(code(1)))), '❌  Error exiting App: exit status 1\n')
})

t.test('a command with letters beyond ASCII keeps its bytes', async t => {
  const [, command] = status.updatingMetadata(1, 'node größe.js')
  t.ok(command)
  if (command !== undefined)
    t.equal(utf8(status.plainly(command)), 'Updating metadata for app command: node größe.js\n')
})
