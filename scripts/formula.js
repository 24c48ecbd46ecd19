/** A formula of Homebrew for the executables below a URL; `sums` are of their compressed files, by platform. */
export function formulaOf({version, url, sums, fileOf}) {
  const each = (os, cpu, target) => `  on_${os} do
    on_${cpu} do
      url "${url}/${fileOf(target)}"
      sha256 "${sums[target]}"
    end
  end`
  return `class Pillion < Formula
  desc "Runs a template of microservices with their Dapr sidecars in one process"
  homepage "${url}"
  version "${version}"
  license "Apache-2.0"

${[
  each('macos', 'arm', 'darwin-arm64'),
  each('macos', 'intel', 'darwin-x64'),
  each('linux', 'arm', 'linux-arm64'),
  each('linux', 'intel', 'linux-x64')
].join('\n')}

  def install
    bin.install Dir["pillion-*"].first => "pillion"
    chmod 0755, bin/"pillion" # it was unpacked as a plain file
    generate_completions_from_executable(bin/"pillion", "completion")
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/pillion --version")
  end
end
`
}
