import {once} from 'node:events'
import {connect} from 'node:net'
import t from 'tap'
import {openManager} from './rig.ts'

t.test('HEAD of a log that is followed ends at once: the next request of the connection is answered', async t => {
  const {port} = await openManager(t, {
    instances: [
      {name: 'hello', version: '1.0.0', isMain: true, status: 'running', startedAt: undefined, finishedAt: undefined}
    ],
    managed: {
      logs: async function* (_name, _version, _wanted, gone) {
        if (gone.aborted) return
        yield 'one\n'
        await once(gone, 'abort')
      }
    }
  })
  const socket = connect(port, '127.0.0.1').setEncoding('latin1')
  const head = 'HTTP/1.1\r\nHost: localhost\r\n'
  socket.write(`HEAD /services/~logs?name=hello&version=1.0.0&follow=True ${head}\r\n`)
  socket.write(`GET /~version ${head}Connection: close\r\n\r\n`)
  t.match((await socket.toArray()).join(''), /^HTTP\/1.1 200 OK[^]*HTTP\/1.1 200 OK[^]*"\S+"$/)
})
