import t from 'tap'
import type {LeaseSearch} from '../../../src/control/sidecar-leases.ts'
import {FarWork} from '../../../src/run/far-work.ts'

t.test('other runs that cannot be searched now are none, and end nothing', async () => {
  const asked = Promise.withResolvers<void>()
  const search = {
    candidates: async () => Promise.reject(new Error('the folder of runs cannot be read'))
  } as unknown as LeaseSearch
  const workflows = {
    connectRun: () => () => undefined,
    completeFar: async () => Promise.resolve(),
    missing: () => {
      asked.resolve()
      return false
    }
  }
  const far = new FarWork(search, () => ({name: undefined}), workflows)
  far.want('bank')
  await asked.promise
  far.close()
})
