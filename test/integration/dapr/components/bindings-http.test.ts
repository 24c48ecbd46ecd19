import {once} from 'node:events'
import {createServer, type RequestListener} from 'node:http'
import type {AddressInfo} from 'node:net'
import t, {type Test} from 'tap'
import type {BindingResponse} from '../../../../src/dapr/components/binding.ts'
import {open} from '../../../../src/dapr/components/bindings/http.ts'
import {openComponent} from '../../../rig/open-component.ts'

const serve = async (t: Test, listener: RequestListener): Promise<string> => {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close().closeAllConnections())
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** Calls a binding with these settings. */
const invoke = async (
  t: Test,
  settings: Readonly<Record<string, string>>,
  operation: string,
  metadata: Readonly<Record<string, string>> = {}
): Promise<BindingResponse | undefined> => {
  const {output} = await openComponent(t, open, settings)
  return output?.invoke({operation, data: Buffer.from('"text"'), metadata})
}

t.test('an answer that does not end is read as far as the binding is to read', async t => {
  const host = await serve(t, (_, response) => {
    const timer = setInterval(() => response.write('x'.repeat(10)), 5)
    response.on('close', () => clearInterval(timer))
  })
  const answer = await invoke(t, {url: `http://${host}`, maxResponseBodySize: '16'}, 'get')
  t.equal(answer?.data.toString(), 'x'.repeat(16))
})
