import t from 'tap'
import {copiesAmong} from '../../../src/control/copies.ts'
import {originOf} from '../../../src/control/repository.ts'
import type {Plan} from '../../../src/model/plan.ts'
import {usualPorts} from '../../../src/proxy/ports/usual-ports.ts'
import {fileOfTemplate} from '../../../src/run/last-exits.ts'
import {workPath} from '../../../src/work/work-path.ts'
import {planOf} from '../../rig/plan.ts'

t.test('everything that is kept for a template is found by both of its names', async t => {
  const folder = t.testdir({'.git': {HEAD: ''}, shop: {}})
  const env = {HOME: folder}
  const kept = (name: string): readonly unknown[] => {
    const app = planOf()
    const file = `${folder}/shop/${name}`
    const plan: Plan = {name: '', file, shownAs: name, managerPort: 'none', apps: [app]}
    const runs = (['exits', 'runs'] as const).map(kind => fileOfTemplate(env, kind, file, ''))
    return [workPath({env, plan}), ...runs, originOf(file), usualPorts(plan)(app)]
  }
  t.same(kept('pillion.yaml'), kept('dapr.yaml'))
  t.same(kept('pillion.yml'), kept('dapr.yml'))
  t.notSame(kept('mine.yaml'), kept('dapr.yaml'))
  const run = {pid: 1, name: 'shop', copy: '', started: 1, templateFile: `${folder}/shop/dapr.yaml`, appIds: []}
  t.same(copiesAmong([run], {file: `${folder}/shop/pillion.yaml`, copy: ''}), [], 'a run of its other name is no copy')
})
