import type * as Api from '../../src/model/api.generated.ts'
import {announce} from '../parts/announce.tsx'
import {failure, showProblem} from '../parts/strips.tsx'
import {api} from '../state/api.ts'

/** Whether the run has made a change of its faults; if not, the top of the page says why. */
export async function change(text: string, request: () => Promise<unknown>): Promise<boolean> {
  failure.value = ''
  try {
    await request()
    announce(text)
    return true
  } catch (error) {
    showProblem(error)
    return false
  }
}

/** Ends a fault. */
export const remove = async ({number}: Api.Fault): Promise<boolean> =>
  change(`fault ${number} is off`, async () => api.ask('DELETE /faults/{number}', {at: {number}}))
