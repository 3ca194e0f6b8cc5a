# Completion of agent-dispatch for PowerShell: agent-dispatch completions powershell | Out-String | Invoke-Expression

Register-ArgumentCompleter -Native -CommandName agent-dispatch -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $before = $commandAst.CommandElements | Where-Object { $_.Extent.EndOffset -lt $cursorPosition }
    $words = @($before | ForEach-Object { "$_" }) + @("$wordToComplete")
    & agent-dispatch __complete @words 2>$null | ForEach-Object {
        $value, $description = $_ -split "`t", 2
        if (-not $description) { $description = $value }
        [System.Management.Automation.CompletionResult]::new($value, $value, 'ParameterValue', $description)
    }
}
