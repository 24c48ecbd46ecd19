import {join} from 'node:path'
import t from 'tap'
import {withFewDescriptors} from '../../../rig/few-descriptors.ts'

const module = (path: string): string => JSON.stringify(join(import.meta.dirname, '../../../..', path))

t.test('a process that is started while no file can be opened is there once one can', async t => {
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
      fill()
      const started = app.start()
      await new Promise(resolve => setTimeout(resolve, 500))
      free()
      await started
      await app.stop('user')
      equal(states.filter(phase => phase !== 'running').join(' '), 'starting stopping exited')
    `)
  )
})
