/** Commands with `-k` where kubectl is missing or fails. */
import {chmodSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import {openRig} from '../rig/rig.ts'

t.test('kubectl that is not in PATH, or fails', async t => {
  const rig = await openRig(t)
  const none = await rig.run(['list', '-k'], {env: {PATH: rig.folder}})
  t.match(none, {
    code: 1,
    stdout: '',
    stderr: /kubectl cannot be run: .*ENOENT.*\n.*https:\/\/kubernetes\.io\/docs\/tasks\/tools/
  })
  await rig.write({
    kubectl: '#!/bin/sh\necho "E1129 08:00:00 memcache.go: noise" >&2\necho "error: log in first" >&2\nexit 1\n'
  })
  chmodSync(join(rig.folder, 'kubectl'), 0o755)
  const env = {PATH: `${rig.folder}:${process.env['PATH']}`}
  t.match(await rig.run(['list', '-k'], {env}), {code: 1, stdout: '', stderr: '❌  kubectl: log in first\n'})
  t.match(await rig.run(['logs', '-k', '-a', 'stock'], {env}), {code: 1, stderr: '❌  kubectl: log in first\n'})
})
