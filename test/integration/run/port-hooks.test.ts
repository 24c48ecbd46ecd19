import {existsSync, rmSync} from 'node:fs'
import t from 'tap'
import {HOOK_TEXT} from '../../../src/packages/daeploy/python-hook.ts'
import {withPortHooks} from '../../../src/run/port-hooks.ts'

t.test('each process finds its hooks, also after the cache was emptied', async t => {
  const env = {XDG_CACHE_HOME: t.testdir()}
  const hook = (): string => {
    const published = {inCode: 3000, number: 3000, host: '', copy: ''}
    const {NODE_OPTIONS = ''} = withPortHooks({}, published, {appPort: 4000, env, python: HOOK_TEXT})
    return /"(.*)"/.exec(NODE_OPTIONS)?.[1] ?? ''
  }
  t.ok(existsSync(hook()))
  rmSync(env.XDG_CACHE_HOME, {recursive: true})
  t.ok(existsSync(hook()))
})

t.test('a cache that is no absolute path counts as none: a program would look for its hooks from its own folder', t => {
  const env = {XDG_CACHE_HOME: '~/.cache', HOME: t.testdir()}
  const published = {inCode: 3000, number: 3000, host: '', copy: ''}
  const {NODE_OPTIONS = '', PYTHONPATH = ''} = withPortHooks({}, published, {appPort: 4000, env, python: HOOK_TEXT})
  t.ok(NODE_OPTIONS.includes(`"${env.HOME}/.cache/pillion/`), NODE_OPTIONS)
  t.ok(PYTHONPATH.startsWith(`${env.HOME}/.cache/pillion/`))
  t.end()
})
