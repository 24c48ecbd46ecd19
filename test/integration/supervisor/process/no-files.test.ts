import {join} from 'node:path'
import t from 'tap'
import {withFewDescriptors} from '../../../rig/few-descriptors.ts'

const module = (path: string): string => JSON.stringify(join(import.meta.dirname, '../../../..', path))

t.test('a process that is replaced while no file can be opened has a next one once one can', async t => {
  await t.resolves(
    withFewDescriptors(`
      const {SupervisedApp} = await import(${module('src/supervisor/process/supervised-app.ts')})
      const {planOf} = await import(${module('test/rig/plan.ts')})
      const states = []
      const app = new SupervisedApp({
        plan: planOf({command: ['sleep', '1000']}),
        environment: () => ({PATH: process.env.PATH, PILLION_LIFE: 'of-no-files'}),
        processMarker: () => 'of-no-files',
        appPort: 0,
        moved: ({phase}) => states.push(phase),
        noted: () => undefined,
        lines: () => undefined
      })
      const moved = async count => {
        while (states.length < count) await new Promise(resolve => setTimeout(resolve, 5))
      }
      await app.start()
      await moved(2)
      fill()
      app.restart('watch')
      await moved(3)
      await new Promise(resolve => setTimeout(resolve, 500)) // the process has ended, and left too few descriptors
      free()
      await moved(5)
      await app.stop('user')
      equal(states.join(' '), 'starting running stopping starting running stopping exited')
    `)
  )
})
