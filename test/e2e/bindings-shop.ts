import type {Test} from 'tap'
import type {Answer, Driven} from '../rig/command.ts'
import type {Program} from '../rig/program.ts'
import {openRig, type Rig} from '../rig/rig.ts'

export interface Invoke {
  readonly rig: Rig
  readonly run: Program
  readonly shop: Driven
  /** Calls a binding with what stands in the body of the request. */
  readonly invoke: (name: string, wish: object, headers?: Readonly<Record<string, string>>) => Promise<Answer>
}

/** An app that wants no events, and calls bindings. */
export const openInvoke = async (
  t: Test,
  files: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string>> = {}
): Promise<Invoke> => {
  const rig = await openRig(t)
  await rig.write(files)
  await rig.template([{appID: 'shop', resourcesPath: '../resources'}])
  const run = rig.pillion(['run', '-f', '.'], {env})
  const shop = await rig.driven('shop')
  const invoke: Invoke['invoke'] = async (name, wish, headers = {}) =>
    shop.fetch(`/v1.0/bindings/${name}`, {method: 'POST', headers, body: JSON.stringify(wish)})
  return {rig, run, shop, invoke}
}

/** The error of a call to a binding. */
export const failure = (name: string, why: string): {status: number; body: string} => ({
  status: 500,
  body: JSON.stringify({
    errorCode: 'ERR_INVOKE_OUTPUT_BINDING',
    message: `error invoking output binding ${name}: ${why}`
  })
})
