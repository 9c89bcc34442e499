import { Button, Group, Modal, Stack, Text } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { lowerFirst } from "../lib/format";
import { ErrorBox } from "./ErrorBox";

export interface ConfirmProps {
  opened: boolean;
  onClose(): void;
  /** Verb and object, as a question. */
  title: string;
  /** What happens and what stays. */
  children: ReactNode;
  /** The safe way out, which has the focus. */
  keep: string;
  /** Repeats the verb. */
  act: string;
  action(): Promise<unknown>;
  onDone?: (() => void) | undefined;
  /** Why it cannot be done now. */
  blocked?: string | undefined;
}

/** Asks before something is stopped or removed. The page then shows what happens, from the server's events. */
export function Confirm({ opened, onClose, title, children, keep, act, action, onDone, blocked }: ConfirmProps) {
  const doing = useMutation({
    mutationFn: action,
    onSuccess: () => {
      onClose();
      onDone?.();
    },
  });
  return (
    <Modal opened={opened} onClose={onClose} title={title} centered closeButtonProps={{ "aria-label": "Close" }}>
      <Stack gap="md">
        <Text size="sm" component="div">
          {children}
        </Text>
        {blocked && <Text size="sm">{blocked}</Text>}
        {doing.error && <ErrorBox what={lowerFirst(act)} error={doing.error} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose} data-autofocus>
            {keep}
          </Button>
          <Button color="red" loading={doing.isPending} disabled={Boolean(blocked)} onClick={() => doing.mutate()}>
            {act}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
