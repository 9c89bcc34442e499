import { Button, Code, Group, Stack } from "@mantine/core";
import { useClipboard } from "@mantine/hooks";

/** Text to take along: shown, to copy where the browser allows it, and as a file. */
export function CopyText({ text, label, filename }: { text: string; label: string; filename: string }) {
  const clipboard = useClipboard({ timeout: 3000 });
  const save = () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    link.download = filename;
    link.click();
    URL.revokeObjectURL(link.href);
  };
  return (
    <Stack gap="xs">
      <Group gap="xs">
        {isSecureContext && (
          <Button size="compact-sm" variant="default" onClick={() => clipboard.copy(text)}>
            {clipboard.copied ? "Copied" : clipboard.error ? "Copy failed" : "Copy"}
          </Button>
        )}
        <Button size="compact-sm" variant="default" onClick={save}>
          Download
        </Button>
      </Group>
      <Code block tabIndex={0} role="region" aria-label={label} style={{ maxHeight: "36rem", overflow: "auto" }}>
        {text}
      </Code>
    </Stack>
  );
}
