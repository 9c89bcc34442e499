import { Button, Checkbox, Group, NativeSelect, Stack, Text, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { getRouteApi } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import type { RunDetail } from "../../api/types";
import { ErrorBox } from "../../components/ErrorBox";
import { Loading } from "../../components/Loading";
import { count, plural } from "../../lib/format";
import { given } from "../../lib/search";
import { LogLines } from "./LogLines";
import { useLog } from "./useLog";

const route = getRouteApi("/frame/runs/$id");
const levels = ["debug", "info", "warn", "error"] as const;

/** What the processes of a run wrote; the search is the server's, so its count is true. */
export function RunLog({ run: r }: { run: RunDetail }) {
  const { q, source, level } = route.useSearch();
  const navigate = route.useNavigate();
  const [follow, setFollow] = useState(true);
  const live = r.phase !== "ended";
  const log = useLog(r.id, { q, source, level }, live && follow);
  const [typed, setTyped] = useState(q ?? "");
  useEffect(() => setTyped(q ?? ""), [q]);
  const search = useDebouncedCallback((text: string) => {
    navigate({
      replace: true,
      resetScroll: false,
      search: (old) => given({ ...old, q: text || undefined }),
    });
  }, 300);
  const box = useRef<HTMLDivElement>(null);
  const newest = log.lines.at(-1)?.n;
  useEffect(() => {
    if (follow && newest !== undefined && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [follow, newest]);
  return (
    <Stack gap="sm">
      <Group align="end" gap="sm">
        <TextInput
          type="search"
          label="Search"
          maxLength={200}
          value={typed}
          onChange={(event) => {
            setTyped(event.currentTarget.value);
            search(event.currentTarget.value);
          }}
          style={{ flex: "1 1 12rem" }}
        />
        <NativeSelect
          label="Source"
          value={source ?? ""}
          onChange={(event) => {
            const chosen = event.currentTarget.value;
            navigate({
              resetScroll: false,
              search: (old) => given({ ...old, source: chosen || undefined }),
            });
          }}
          data={[{ value: "", label: "All" }, ...log.sources.map((name) => ({ value: name, label: name }))]}
        />
        <NativeSelect
          label="Level"
          value={level ?? ""}
          onChange={(event) => {
            const chosen = levels.find((name) => name === event.currentTarget.value);
            navigate({
              resetScroll: false,
              search: (old) => given({ ...old, level: chosen }),
            });
          }}
          data={[
            { value: "", label: "All" },
            ...levels.map((name) => ({ value: name, label: `${name} and above` })).slice(1),
          ]}
        />
        {live && (
          <Checkbox
            label="Follow"
            checked={follow}
            onChange={(event) => setFollow(event.currentTarget.checked)}
            mb={8}
          />
        )}
      </Group>
      {log.error !== undefined && <ErrorBox what="load the log" error={log.error} retry={log.retry} />}
      {log.pending && <Loading what="the log" height={360} retry={log.retry} />}
      {!log.pending && (
        <>
          <Text size="sm" c="dimmed">
            {plural(log.matches, q || source || level ? "matching line" : "line")}
            {log.lines.length < log.matches ? `, showing the last ${count(log.lines.length)}` : ""}
          </Text>
          {log.earlier && (
            <Button variant="default" size="compact-sm" onClick={log.earlier} style={{ alignSelf: "start" }}>
              Show earlier lines
            </Button>
          )}
          {log.lines.length > 0 ? (
            <LogLines ref={box} lines={log.lines} onScrollUp={() => setFollow(false)} />
          ) : (
            <Text>{q || source || level ? "No lines match." : live ? "No lines yet." : "No log was kept."}</Text>
          )}
        </>
      )}
    </Stack>
  );
}
