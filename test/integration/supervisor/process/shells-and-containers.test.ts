import {test} from 'tap'
import {Scene} from './scene.ts'

test('a variable reaches the program whatever its name is: shells drop some', async t => {
  const odd = {'discovery.type': 'single-node', 'x-y': '1', 'Logging:Level': 'Debug', '4': 'four'}
  for (const terminal of [{}, {tty: true}] as const) {
    const scene = new Scene(t)
    const environment = (): Record<string, string> => ({...scene.environment('odd'), ...odd})
    const {app, witness} = scene.app({command: ['/usr/bin/env'], ...terminal}, {environment})
    void app.start()
    await app.ended
    for (const [name, value] of Object.entries(odd)) t.match(witness.text.stdout, `${name}=${value}\n`, name)
  }
})
