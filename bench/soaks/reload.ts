import {writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import type {Soak} from './soak.ts'

const SERVER = `import {createServer} from 'node:http'
createServer((request, response) => response.end('VERSION')).listen(process.env.APP_PORT, '127.0.0.1')
`

/** More than thirty restarts in a minute are a storm, and the app is left alone. */
const SAVE_EVERY_MS = 2100

/** A watched app that is saved again and again, with calls in between: a step is a save, and calls until the new code answers and the next save is due. */
export const reload: Soak = {
  name: 'reload',
  open: async rig => {
    await rig.template([{appID: 'server', command: ['node', 'server.mjs'], autoPort: true, watch: true}])
    const file = join(rig.folder, 'server/server.mjs')
    let version = 0
    const save = async (): Promise<string> => {
      const text = (++version).toString()
      await writeFile(file, SERVER.replace('VERSION', text))
      return text
    }
    await save()
    const program = rig.pillion(['run', '-f', '.'])
    const {http} = await program.ports('server')
    const url = `http://127.0.0.1:${http}/v1.0/invoke/server/method/`
    return {
      pid: program.pid,
      step: async () => {
        const due = performance.now() + SAVE_EVERY_MS
        const wanted = await save()
        for (let calls = 1, got = ''; ; calls++) {
          const answer = await fetch(url)
          got = await answer.text()
          if (!answer.ok) throw new Error(`a call was lost: ${got}`)
          if (got === wanted && performance.now() >= due) return calls
        }
      },
      close: async () => {
        program.signal('SIGTERM')
        await program.exited
      }
    }
  }
}
