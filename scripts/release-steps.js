/** Patterns of lines that are wrong once there is a release, by file. */
const UNPUBLISHED = {
  'README.md': /^Nothing is published yet.*$/m,
  'docs/for-a-team.md': /^- It has not been published.*$/m,
  'docs/in-ci.md': /^The package is not published yet.*$/m
}

/**
 * Returns the steps that a person has to do before a release can be published, in their order.
 * `manifest`: package.json; `textOf` returns the text of a file; `tags`: of the commit; `isClean`: the files are those of the commit.
 */
export function stepsLeft({manifest, textOf, tags, isClean, isSigned}) {
  const {version} = manifest
  const left = []
  // npm compares it with the repository of the workflow before it accepts a statement of provenance
  for (const key of ['repository', 'homepage', 'author'])
    if (manifest[key] === undefined) left.push(`package.json: write "${key}"`)
  if (
    !new RegExp(`^## ${version.replaceAll('.', String.raw`\.`)} - \\d{4}-\\d\\d-\\d\\d$`, 'm').test(
      textOf('CHANGELOG.md')
    )
  )
    left.push(`CHANGELOG.md: write the heading "## ${version} - YYYY-MM-DD"`)
  for (const [file, pattern] of Object.entries(UNPUBLISHED)) {
    const line =
      textOf(file)
        .split('\n')
        .findIndex(each => pattern.test(each)) + 1
    if (line > 0)
      left.push(`${file}:${line}: replace this line; a comment in README.md has the lines about the installation`)
  }
  if (!isClean) left.push('git commit: there are changes that no commit has')
  if (!tags.includes(`v${version}`)) left.push(`git tag v${version} && git push origin v${version}`)
  if (!isSigned) left.push('optional: PILLION_SIGNING_KEY=KEY signs SHA256SUMS with that key of gpg')
  return left
}
