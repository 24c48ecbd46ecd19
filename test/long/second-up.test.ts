import t from 'tap'
import {openRig} from '../rig/rig.ts'

t.test(
  'a second up of a template is refused, whether it is to stay in the background or not; --name starts one',
  async t => {
    const rig = await openRig(t)
    await rig.template([{appID: 'a', command: ['sleep', '600']}])
    const first = rig.pillion(['up'])
    await first.ports('a')
    for (const args of [['up'], ['up', '-d'], ['up', '-f', 'dapr.yaml', '--only', 'a']])
      t.match(await rig.run(args), {
        code: 1,
        stdout: '',
        stderr: `❌  dapr.yaml is already running (pid ${first.pid})\npillion down ends it, pillion start ID starts one of its apps, pillion up --name NAME starts a second run.\n`
      })
    t.match((await rig.run(['ps', '-o', 'json'])).stdout, '"a"', 'there is one run')
    const second = rig.pillion(['up', '--name', 'two'])
    await second.ports('a')
    t.match(await rig.run(['down', '--name', 'two']), {code: 0})
    await second.exited
    t.match(await rig.run(['down']), {code: 0})
    t.match(await rig.run(['up', '-d']), {code: 0}, 'once it has ended there is nothing to refuse')
    t.match(await rig.run(['down']), {code: 0})
    await first.exited
  }
)
