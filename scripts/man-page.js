/** The manual page of the commands, as troff (man(7)); `help` is what `pillion --help` prints. */
export function manPageOf({version, help}) {
  const commands = [...help.matchAll(/^ {2}([a-z][\w-]*) {2,}(\S.*)$/gm)].map(([, name, summary]) => ({name, summary}))
  return [
    `.TH PILLION 1 "" "pillion ${version}" "User Commands"`,
    '.SH NAME',
    'pillion \\- runs a template of microservices with their Dapr sidecars in one process',
    '.SH SYNOPSIS',
    '.B pillion',
    '.I command',
    '[\\fIflags\\fR]',
    '.SH DESCRIPTION',
    'Starts every app of a run template (dapr.yaml), is the Dapr sidecar of each, prefixes and keeps their logs, reloads on save, and leaves nothing behind when it stops.',
    '.B pillion',
    '.I command',
    '.B \\-\\-help',
    'lists the flags of a command.',
    '.SH COMMANDS',
    ...commands.flatMap(({name, summary}) => ['.TP', `.B ${escaped(name)}`, escaped(summary)]),
    '.SH EXIT STATUS',
    '0: done; 1: it failed, or an app has; 70: an error of pillion itself; 255: the command was typed wrongly.',
    '.SH FILES',
    '.TP',
    '.I dapr.yaml',
    'The run template of a folder.',
    '.TP',
    '.I .dapr/logs',
    'The logs of an app, in its folder.',
    '.TP',
    '.I $XDG_STATE_HOME/pillion',
    'What outlives a run: workflows, jobs, reminders, keys of the built\\-in Redis.',
    ''
  ].join('\n')
}

/** A point or an apostrophe at the beginning of a line is a request. */
const escaped = text =>
  text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^(?=[.'])/, '\\&')
