import {spawnSync} from 'node:child_process'
import {join} from 'node:path'
import t from 'tap'
import {openRig, type Rig} from '../rig/rig.ts'
import {noScreen, Screen} from '../rig/screen.ts'

/** How each shell starts without anybody's settings, and takes the script in; its prompt is `$> `. */
const SHELLS: Readonly<Record<string, (folder: string) => readonly string[]>> = {
  bash: folder => ['bash', '--rcfile', join(folder, 'bash.rc'), '-i'],
  zsh: () => ['zsh', '-i'],
  fish: folder => ['fish', '-i', '-C', `source ${join(folder, 'fish.rc')}`]
}

const SETTINGS: Readonly<Record<string, string>> = {
  bash: `PS1='$> '; bind 'set show-all-if-ambiguous on'; bind 'set enable-bracketed-paste off'`,
  zsh: `PROMPT='$> '; unsetopt zle_bracketed_paste`,
  fish: `function fish_prompt; echo -n '$> '; end; set -U fish_greeting`
}

const missing = (shell: string): string | false =>
  noScreen || (spawnSync(shell, ['-c', 'true']).error !== undefined && `no ${shell} here: its completion is not tested`)

/** Puts `pillion` into the path, writes the shell's settings, and starts it. */
async function openShell(rig: Rig, shell: string): Promise<Screen> {
  const words = rig.program.map(word => `'${word}'`).join(' ')
  const script = (await rig.run(['completion', shell])).stdout
  const before = shell === 'zsh' ? 'autoload -U compinit; compinit -u -D\n' : ''
  await rig.write({
    'bin/pillion': `#!/bin/sh\nexec ${words} "$@"\n`,
    [shell === 'zsh' ? '.zshrc' : `${shell}.rc`]: `${before}${script}\nalias dapr=pillion\n${SETTINGS[shell] ?? ''}\n`
  })
  spawnSync('chmod', ['+x', join(rig.folder, 'bin/pillion')])
  const path = `${join(rig.folder, 'bin')}:${process.env['PATH'] ?? ''}`
  const screen = new Screen(rig, SHELLS[shell]?.(rig.folder) ?? [], {
    columns: 120,
    env: {PATH: path, ZDOTDIR: rig.folder, XDG_CONFIG_HOME: rig.home}
  })
  await screen.shows(/\$> /)
  return screen
}

for (const shell of Object.keys(SHELLS))
  t.test(`${shell} completes commands, flags, values, and a command’s ids`, {skip: missing(shell)}, async t => {
    const rig = await openRig(t)
    await rig.template([{appID: 'stockroom'}, {appID: 'shopfront'}])
    rig.pillion(['run', '-f', '.'])
    await Promise.all([rig.driven('stockroom'), rig.driven('shopfront')])
    t.match(await rig.run(['stop', 'stockroom']), {code: 0})
    const screen = await openShell(rig, shell)
    const completes = async (typed: string, shown: RegExp): Promise<void> => {
      screen.type(`${typed}\t`)
      await screen.shows(shown)
      screen.type('\x15') // nothing of it is run
      t.pass(typed)
    }
    await completes('pillion valid', /valid[^\n]*ate/)
    await completes('pillion logs --foll', /--foll[^\n]*ow/)
    await completes('pillion debug --format dot', /dot[^\n]*env/)
    await completes('pillion start stoc', /stoc[^\n]*kroom/)
    await completes('dapr stop shop', /shop[^\n]*front/)
    await completes('pillion logs stockr', /stockr[^\n]*oom/)
    await completes('pillion run --only shopf', /shopf[^\n]*ront/)
    await completes('pillion completion fis', /fis[^\n]*h/)
    await screen.close()
  })

t.test('the ids behind a command: those that it can take; without a run those of the template', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'a'}, {appID: 'b'}])
  const ids = async (command: string): Promise<string> => (await rig.run(['completion', 'ids', command])).stdout
  t.equal(await ids('logs'), 'a\nb\n')
  t.equal(await ids('start'), '')
  t.equal(await ids('run'), 'a\nb\n')
  rig.pillion(['run', '-f', '.'])
  const [a] = await Promise.all([rig.driven('a'), rig.driven('b')])
  t.match(await rig.run(['stop', 'a']), {code: 0})
  await a.closed
  t.equal(await ids('start'), 'a\n')
  t.equal(await ids('stop'), 'b\n')
  t.equal(await ids('ps'), 'a\nb\n')
})

t.test('ids that a shell would run are not completed', async t => {
  const rig = await openRig(t)
  const ids = ['shop', 'my.shop-2', '$(touch hacked)', '`touch hacked`', 'a b', "it's", 'x;touch hacked']
  await rig.write({'dapr.yaml': JSON.stringify({version: 1, apps: ids.map(appID => ({appID, appDirPath: '.'}))})})
  t.match(await rig.run(['completion', 'ids', 'up']), {code: 0, stdout: 'shop\nmy.shop-2\n'})
})
