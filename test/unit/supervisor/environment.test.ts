import t from 'tap'
import {environmentOf} from '../../../src/supervisor/environment.ts'
import type {AppPlan} from '../../../src/model/plan.ts'

const plan = (env: Record<string, string> = {}, autoPort = false): AppPlan =>
  ({
    id: 'order',
    env,
    channel: {protocol: 'http', address: '', port: 7001, autoPort, maxConcurrency: 0}
  }) as unknown as AppPlan
const PORTS = {httpPort: 1, grpcPort: 2, metricsPort: 3, appPort: 7001}
const ENV = {HOME: '/home/me', APP_PORT: '1', PILLION_RUN: 'outer'}

const environment = ({
  plan: of = plan(),
  ports = PORTS,
  env = ENV,
  isColoured = false
}: {plan?: AppPlan; ports?: typeof PORTS; env?: Record<string, string>; isColoured?: boolean} = {}) =>
  environmentOf(of, ports, env, {run: 'r', marker: 'r-1'}, isColoured)

t.test('an app gets the shell, its sidecar and the marks', async t => {
  t.same(environment(), {
    PYTHONUNBUFFERED: '1',
    HOME: '/home/me',
    APP_ID: 'order',
    APP_CHANNEL_ADDRESS: '',
    APP_PORT: '7001',
    DAPR_HTTP_PORT: '1',
    DAPR_GRPC_PORT: '2',
    DAPR_METRICS_PORT: '3',
    APP_PROTOCOL: 'http',
    PILLION_RUN: 'r',
    PILLION_LIFE: 'r-1'
  })
})

t.test("the template's word counts more than ours, but for the marks", async t => {
  const env = environment({plan: plan({DAPR_HTTP_PORT: '3500', PYTHONUNBUFFERED: '', PILLION_RUN: 'x'})})
  t.match(env, {DAPR_HTTP_PORT: '3500', PYTHONUNBUFFERED: '', PILLION_RUN: 'r'})
})

t.test('PORT is set where Pillion chose the number, and wins there over the PORT of the shell', async t => {
  const moved = {...plan(), channel: {...plan().channel, isMoved: true as const}}
  for (const chosen of [plan({}, true), moved])
    t.match(environment({plan: chosen, env: {PORT: '1'}}), {APP_PORT: '7001', PORT: '7001'})
  t.match(environment({env: {PORT: '1'}}), {APP_PORT: '7001', PORT: '1'}, 'an appPort: as by the CLI of Dapr')
  t.equal(environment()['PORT'], undefined)
  t.match(environment({plan: plan({PORT: '9'}, true)}), {APP_PORT: '7001', PORT: '9'})
  const ports = {...PORTS, appPort: 0}
  t.match(environment({ports, env: {PORT: '1'}}), {PORT: '1'}, 'no port')
})

t.test('colours are asked for on a terminal, unless somebody said no', async t => {
  t.equal(environment({isColoured: true})['FORCE_COLOR'], '1')
  t.equal(environment({isColoured: true, env: {NO_COLOR: '1'}})['FORCE_COLOR'], undefined)
  t.equal(environment({isColoured: true, plan: plan({NO_COLOR: '1'})})['FORCE_COLOR'], undefined)
  t.equal(environment({isColoured: true, plan: plan({FORCE_COLOR: '0'})})['FORCE_COLOR'], '0')
  t.equal(environment()['FORCE_COLOR'], undefined)
})
