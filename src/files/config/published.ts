import type {PublishedPlan} from '../../model/plan.ts'
import type {Settings} from './merge.ts'
import {HIGHEST_PORT, isHost, unbracketed} from './sidecar.ts'

const EXPECTED = 'expected a port number from 1 to 65535, or an address with one, like 0.0.0.0:5100'

/** Where an app is called: `5100`, or `ADDRESS:5100`; undefined: nowhere but at its sidecars. */
export function publishedPlan(settings: Settings): PublishedPlan | undefined {
  const {port: written, appPort = 0, fixedPort} = settings.values
  if (written === undefined) return undefined
  const text = String(written)
  const colon = text.lastIndexOf(':')
  const host = colon < 0 ? '' : unbracketed(text.slice(0, colon).trim())
  const digits = text.slice(colon + 1)
  const number = /^\d{1,5}$/.test(digits) ? Number(digits) : 0
  if (number === 0 || number > HIGHEST_PORT || (colon >= 0 && !isHost(host)))
    return settings.refuse({key: 'port', message: 'wrong value of port', expected: EXPECTED})
  if (number === appPort)
    return settings.refuse({
      code: 'conflicting-keys',
      key: 'port',
      message: `port and appPort are both ${number}: Pillion listens at port, so the app has to listen elsewhere`,
      hint: 'leave appPort out: the app is given a free port in PORT; or write the number that it has in its code as fixedPort'
    })
  return {host, number, inCode: fixedPort ?? number, copy: ''}
}
