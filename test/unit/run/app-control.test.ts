import t from 'tap'
import type {AppRuntime} from '../../../src/supervisor/app-runtime.ts'
import {appControl} from '../../../src/run/app-control.ts'
import {planOf} from '../../rig/plan.ts'

type Asked = Parameters<typeof appControl>[0]

/** Restarts a running app whose components are tried again by `openAgain`. */
function restartOf(fault: string, openAgain: () => Promise<void>) {
  const plan = planOf({id: 'shop', command: ['node']})
  const runtime = {id: 'shop', plan, fault, app: {state: {phase: 'running', ready: true}}, obstacle: ''}
  const restarted: unknown[] = []
  const asked = {
    apps: {named: () => [runtime as unknown as AppRuntime], isStopped: () => false},
    sidecars: new Map([[runtime, {openAgain}]]),
    changes: {restart: async (all: readonly unknown[]) => void restarted.push(...all)},
    lifetime: {isOver: false}
  } as unknown as Asked
  return {restarted, why: appControl(asked).restartApp('shop')}
}

const noCode = async (): Promise<void> => Promise.reject(new Error('no descriptor is free'))

t.test('restart does not wait for a component that cannot be opened and that the app does without', async t => {
  const {why, restarted} = restartOf('', async () => new Promise(() => undefined))
  t.equal(await why, '')
  t.equal(restarted.length, 1)
})

t.test('nor does it fail where their code cannot be loaded; one that keeps the app from starting is said', async t => {
  t.equal(await restartOf('', noCode).why, '')
  t.equal(await restartOf('its store cannot be opened', noCode).why, 'its store cannot be opened')
})
