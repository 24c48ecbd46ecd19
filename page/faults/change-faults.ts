import type * as Api from '../../src/model/api.generated.ts'
import {announce} from '../parts/announce.tsx'
import {failure, showProblem} from '../parts/strips.tsx'
import {api} from '../state/api.ts'

/** Requests a change of the faults; returns whether the run made it, and shows why at the top of the page if not. */
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

export const remove = async ({number}: Api.Fault): Promise<boolean> =>
  change(`fault ${number} is off`, async () => api.ask('DELETE /faults/{number}', {at: {number}}))
