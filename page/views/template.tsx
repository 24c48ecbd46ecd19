import type * as Api from '../../src/model/api.generated.ts'
import {useEffect, useState} from 'preact/hooks'
import {CopyButton} from '../parts/copy-button.tsx'
import {visible} from '../parts/safe-text.ts'
import {api} from '../state/api.ts'
import {useAsked} from '../state/asked.ts'
import {endAll, listen} from '../state/run.ts'

const SHAPES = {error: '✕', warning: '▲', observed: '◆'} as const
const TONES = {error: 'bad', warning: 'warn', observed: 'soft'} as const

export default function Template() {
  const [asked, setAsked] = useState(0)
  const found = useAsked(async signal => api.ask('GET /template', {signal}), [asked])
  const load = (): void => setAsked(before => before + 1)
  useEffect(() => {
    // a note reports an edit of the template that has a mistake or restarts no app
    return endAll(
      listen('fault', ({change}) => change === 'hit' || load()),
      ...(['reload', 'reset', 'note'] as const).map(type => listen(type, load))
    )
  }, [])
  return (
    <>
      <div class="tools">
        <h1>Template</h1>
        {typeof found === 'object' && <Counts findings={found.findings} />}
        <button type="button" class="far" onClick={load}>
          Check again
        </button>
      </div>
      {found === undefined ? (
        <p class="empty">Asking the run …</p>
      ) : typeof found === 'object' ? (
        <Files {...found} />
      ) : (
        <p class="empty box">{found}</p>
      )}
    </>
  )
}

function Counts({findings}: Pick<Api.Template, 'findings'>) {
  const of = (wanted: Api.TemplateFinding['severity'], one: string, many: string): readonly string[] => {
    const count = findings.filter(({severity}) => severity === wanted).length
    return count === 0 ? [] : [`${count} ${count === 1 ? one : many}`]
  }
  const parts = [
    ...of('error', 'mistake', 'mistakes'),
    ...of('warning', 'warning', 'warnings'),
    ...of('observed', 'difference from dependsOn', 'differences from dependsOn')
  ]
  return <p role="status">{parts.length === 0 ? 'nothing is wrong with it' : parts.join(', ')}</p>
}

function Files({files, findings}: Api.Template) {
  const elsewhere = findings.filter(({file}) => !files.some(each => each.file === file))
  return (
    <div class="files">
      {files.map(({file, text}) => (
        <section key={file} aria-label={visible(file)}>
          <h2>{visible(file)}</h2>
          <Text text={text} findings={findings.filter(finding => finding.file === file)} />
        </section>
      ))}
      {elsewhere.map(finding => (
        <div key={finding.message} class="box">
          <h2>{`${visible(finding.file)}:${finding.line}`}</h2>
          <Finding finding={finding} />
        </div>
      ))}
    </div>
  )
}

function Text({text, findings}: {readonly text: string; readonly findings: readonly Api.TemplateFinding[]}) {
  return (
    <ol class="code box" tabIndex={0} aria-label="Text of the template">
      {text
        .replace(/\n$/, '')
        .split('\n')
        .map((line, index) => (
          <li key={index}>
            <code>{visible(line.replace(/\r$/, '')) || ' '}</code>
            {findings
              .filter(finding => finding.line === index + 1)
              .map(finding => (
                <Finding key={finding.message} finding={finding} />
              ))}
          </li>
        ))}
    </ol>
  )
}

function Finding({finding: {severity, message, expected, hint, lines}}: {readonly finding: Api.TemplateFinding}) {
  const more = [expected, hint].filter(text => text !== '').join('; ')
  return (
    <div class={`finding ${TONES[severity]}`} role="note">
      <p>
        <span aria-hidden="true">{SHAPES[severity]}</span> {visible(message)}
        {more !== '' && <small>; {visible(more)}</small>}
      </p>
      {lines !== '' && (
        <>
          <code>{lines}</code> <CopyButton text={lines} label="Copy the line" />
        </>
      )}
    </div>
  )
}
