import t from 'tap'
import {serviceEnvironment, type ServiceFacts} from '../environment.ts'

const facts: ServiceFacts = {
  name: 'scales',
  version: '1.0.0',
  token: 't0',
  managerUrl: 'http://127.0.0.1:4100',
  appPort: 4711,
  fixedPort: 8000,
  hookFolder: '/run/hook'
}

t.test('a service gets what the SDK reads, over everything that was said', async t => {
  const env = serviceEnvironment({A: '1', DAEPLOY_MANAGER_URL: 'http://elsewhere', 'daeploy.name': 'x'}, facts)
  t.same(env, {
    A: '1',
    DAEPLOY_MANAGER_URL: 'http://127.0.0.1:4100',
    DAEPLOY_MANAGER_HOSTNAME: 'localhost',
    'daeploy.name': 'scales',
    'daeploy.version': '1.0.0',
    'daeploy.auth': 't0',
    NO_PROXY: '127.0.0.1,localhost',
    no_proxy: '127.0.0.1,localhost',
    PYTHONPATH: '/run/hook',
    PILLION_PORT: '4711',
    PILLION_FIXED_PORT: '8000',
    PILLION_DOTTED_ENV: '{"daeploy.name":"scales","daeploy.version":"1.0.0","daeploy.auth":"t0"}'
  })
})

t.test('PYTHONPATH is put before, and NO_PROXY added to, in both spellings', async t => {
  const paths = serviceEnvironment({PYTHONPATH: '/mine:/yours'}, facts)
  t.equal(paths['PYTHONPATH'], '/run/hook:/mine:/yours')
  const both = {NO_PROXY: 'kept.test,127.0.0.1,localhost', no_proxy: 'kept.test,127.0.0.1,localhost'}
  t.match(serviceEnvironment({NO_PROXY: 'kept.test'}, facts), both)
  t.match(serviceEnvironment({no_proxy: 'kept.test'}, facts), both)
  t.match(serviceEnvironment({NO_PROXY: 'a.test', no_proxy: 'b.test'}, facts), {
    NO_PROXY: 'a.test,127.0.0.1,localhost',
    no_proxy: 'b.test,127.0.0.1,localhost'
  })
})

t.test('the manager is spared from the proxy wherever it listens', async t => {
  for (const [managerUrl, spared] of [
    ['http://192.168.1.5:4100', '127.0.0.1,localhost,192.168.1.5'],
    ['http://[::1]:4100', '127.0.0.1,localhost,[::1],::1']
  ] as const)
    t.equal(serviceEnvironment({}, {...facts, managerUrl})['NO_PROXY'], spared)
})
