import {splitInline} from '../../src/packages/redis/protocol/parser.ts'
import {respClient, type RespClient} from './resp.ts'

// A transcript of Redis: `> GET a` is sent, the line below it, indented, is the answer. `2> …` is another connection, `>& …`
// does not wait for the answer, `<` waits for the next one, `>~ …` shows all numbers as #. Lines with # are comments.
const COMMAND = /^(\d?)([<>])([&~]*) ?(.*)$/

/** Plays the commands of a transcript against a server, and returns it with that server's answers. */
export async function play(transcript: string, port: number): Promise<string> {
  const clients = new Map<string, RespClient>()
  const lines: string[] = []
  let waiting = 0
  try {
    const control = await respClient(port)
    clients.set('control', control)
    await control.call('FLUSHALL')
    await control.call('CONFIG', 'SET', 'notify-keyspace-events', '')
    for (const line of transcript.split('\n')) {
      const [, name = '', direction, flags = '', text = ''] = COMMAND.exec(line) ?? []
      if (direction === undefined) {
        if (!line.startsWith('  ')) lines.push(line)
        continue
      }
      lines.push(line)
      const client = clients.get(name) ?? (await respClient(port))
      clients.set(name, client)
      if (direction === '>') client.send(wordsOf(text))
      else waiting = Math.max(waiting - 1, 0)
      if (flags.includes('&')) await isBlocked(control, ++waiting)
      else {
        const answer = await client.next()
        lines.push(`  ${flags.includes('~') ? answer.replaceAll(/\d+/g, '#') : answer}`)
      }
    }
  } finally {
    for (const client of clients.values()) client.close()
  }
  return lines.join('\n')
}

/** Waits until so many clients wait for a key. */
async function isBlocked(control: RespClient, count: number): Promise<void> {
  for (;;) {
    const info = await control.call('INFO', 'clients')
    if (Number(/blocked_clients:(\d+)/.exec(info)?.[1]) >= count) return
  }
}

function wordsOf(text: string): readonly string[] {
  const words = splitInline(text)
  if (words === undefined || words.length === 0) throw new Error(`no command: ${text}`)
  return words
}
