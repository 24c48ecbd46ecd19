import {load} from '../load.ts'
import {startTen, writeTen} from '../ten.ts'
import type {Soak} from './soak.ts'

/** Ten servers, each called in turn through the sidecar of the one before it. */
export const calls: Soak = {
  name: 'calls',
  open: async rig => {
    await writeTen(rig)
    const {program, urls} = await startTen(rig)
    let turn = 0
    return {
      pid: program.pid,
      step: async () => {
        const url = urls[turn++ % urls.length] ?? ''
        return (await load({url, connections: 16, seconds: 1})).requests
      },
      close: async () => {
        program.signal('SIGTERM')
        await program.exited
      }
    }
  }
}
