import t from 'tap'
import {load} from './shop.ts'
import type {AppPlan} from '../../../../src/model/plan.ts'

const planOf = (test: Parameters<typeof load>[0], common: string, app: string): AppPlan => {
  const {plan} = load(
    test,
    `version: 1\ncommon: {${common}}\napps:\n- {appDirPath: ./orders, ${app}}\n- appDirPath: ./checkout\n`
  )
  const [first] = plan.apps
  if (first === undefined) throw new Error('no app')
  return first
}

t.test('an app has what common says, and its own word over that', async t => {
  t.match(planOf(t, 'logLevel: debug', ''), {sidecar: {logLevel: 'debug'}})
  t.match(planOf(t, 'logLevel: debug', 'logLevel: warn'), {sidecar: {logLevel: 'warn'}})
  t.match(planOf(t, 'restart: always, watch: true', 'watch: [src/**]'), {restart: 'always', watch: {paths: ['src/**']}})
  t.match(planOf(t, 'stop: {timeout: 9, scope: group}', 'stop: {timeout: 1}'), {stop: {timeoutMs: 1000, scope: 'all'}})
})

t.test('an app can take back what common says, with false, 0 and an empty text', async t => {
  t.match(planOf(t, 'enableApiLogging: true', 'enableApiLogging: false'), {sidecar: {apiLogging: false}})
  t.match(planOf(t, 'appMaxConcurrency: 3', 'appMaxConcurrency: 0'), {channel: {maxConcurrency: 0}})
  t.match(planOf(t, 'appProtocol: grpc', 'appProtocol: ""'), {channel: {protocol: 'http'}})
  t.match(planOf(t, 'watch: true', 'watch: no'), {watch: {paths: []}})
  t.match(planOf(t, 'appLogDestination: file', 'appLogDestination: ""'), {logs: {app: 'fileAndConsole'}})
  t.match(planOf(t, 'placementHostAddress: x', 'placementHostAddress: ""'), {elsewhere: {placementAddress: ''}})
})

t.test('null takes nothing back', async t => {
  t.match(planOf(t, 'logLevel: debug', 'logLevel: ~'), {sidecar: {logLevel: 'debug'}})
  t.match(planOf(t, 'restart: always', 'restart: ~'), {restart: 'always'})
})

t.test('environments are merged name by name', async t => {
  t.strictSame(planOf(t, 'env: {A: common, B: common}', 'env: {A: own, C: own}').env, {A: 'own', B: 'common', C: 'own'})
  t.strictSame(planOf(t, 'env: {A: common}', 'env: {A: ""}').env, {A: ''})
  t.strictSame(planOf(t, 'env: {A: common}', '').env, {A: 'common'})
  t.strictSame(planOf(t, 'env: {A: common}', 'env: {}').env, {A: 'common'})
})

t.test('keys of an app in common say nothing', async t => {
  t.match(planOf(t, 'appPort: 3, appID: x, command: [a]', ''), {id: 'orders', channel: {port: 0}, command: []})
})

t.test('an app without an id has the name of its folder', async t => {
  const {plan} = load(
    t,
    'version: 1\napps: [{appDirPath: ./orders/}, {appDirPath: ./home/../checkout, appID: ""}, {appDirPath: ., appID: 7}]'
  )
  t.strictSame(
    plan.apps.map(({id}) => id),
    ['orders', 'checkout', '7']
  )
})
