import {join} from 'node:path'
import t from 'tap'
import {singlePlan} from '../../../../src/files/config/single.ts'

t.test("Dapr's folder for a single app: --runtime-path, DAPR_RUNTIME_PATH, the home", async t => {
  const cwd = t.testdir({set: {'.dapr': {'config.yaml': ''}}})
  const resources = (runtimePath: string | undefined, env: Readonly<Record<string, string>> = {}) => {
    const values = runtimePath === undefined ? {} : {runtimePath}
    const {apps} = singlePlan('a', values, {cwd, home: join(cwd, 'home'), env})
    return apps
      .flatMap(app => [...app.resources.folders, app.resources.configFile, app.resources.defaultFolder])
      .map(path => path.replace(`${cwd}/`, ''))
  }
  const inSet = ['set/.dapr/components', 'set/.dapr/config.yaml', 'set/.dapr']
  t.strictSame(resources('set'), inSet, 'relative')
  t.strictSame(resources(join(cwd, 'set'), {DAPR_RUNTIME_PATH: join(cwd, 'other')}), inSet, 'before the variable')
  t.strictSame(resources(undefined, {DAPR_RUNTIME_PATH: join(cwd, 'set')}), inSet)
  t.strictSame(resources(undefined), ['home/.dapr/components', '', 'home/.dapr'])
})
