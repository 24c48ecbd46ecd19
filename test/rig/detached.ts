import type {Test} from 'tap'
import {openRig, type Rig} from './rig.ts'

/** A program that listens on its port after a moment. */
const LISTENS = `setTimeout(() => require('node:http').createServer((_, response) => response.end('hello')).listen(process.env.PORT), 200)`

export async function rigWithApp(t: Test, code = LISTENS): Promise<Rig> {
  const rig = await openRig(t)
  await rig.template([{appID: 'a', autoPort: true, command: ['node', '-e', code]}])
  t.teardown(async () => rig.run(['down']))
  return rig
}
