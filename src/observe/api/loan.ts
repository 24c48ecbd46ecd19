import type {ServerResponse} from 'node:http'
import type * as Api from '../../model/api.generated.ts'
import type {AppName} from './apps.ts'
import type {ApiRequest} from './route.ts'
import type {RunControl} from '../../control/run-control.ts'

/** Lends the sidecar of an app to another run: the response stays open as long as the sidecar is. */
export function lendSidecar(control: RunControl, {id}: AppName, {response}: ApiRequest): undefined {
  response.writeHead(200, {'content-type': 'application/x-ndjson'})
  const leased = control.leaseSidecar(id)
  if (leased === undefined) {
    write(response, withoutSidecar(control, id))
    return void response.end()
  }
  const {address, closing, ready, onChange} = leased
  let sent = ready()
  write(response, {...address, ready: sent})
  const off = onChange(() => {
    if (sent === ready()) return
    sent = ready()
    write(response, {ready: sent})
  })
  const end = (): void => {
    off()
    response.end()
  }
  response.once('close', () => {
    off()
    closing.removeEventListener('abort', end)
  })
  if (closing.aborted) end()
  else closing.addEventListener('abort', end)
  return undefined
}

const write = (response: ServerResponse, loan: Api.Loan): void => void response.write(`${JSON.stringify(loan)}\n`)

function withoutSidecar(control: RunControl, wanted: string): Api.NoSidecar {
  const {apps} = control.list()
  return {
    running: apps.filter(({state}) => state !== 'stopped').map(({id}) => id),
    isStopped: apps.some(({id, state}) => id === wanted && state === 'stopped')
  }
}
