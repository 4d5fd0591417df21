//! The triggers that note each change of a row as the statement that reverses it. Knows no table.

/// The triggers of a table with these columns, and whether each belongs to the primary key.
pub(super) fn triggers(table: &str, columns: &[(String, bool)]) -> String {
    let set = |row: &str, column: &str| format!("'{column} = ' || quote({row}.{column})");
    let list = |parts: Vec<String>, between: &str| parts.join(&format!(" || '{between}' || "));
    let old = columns.iter().map(|(column, _)| set("OLD", column)).collect();
    let values = columns.iter().map(|(column, _)| format!("quote(OLD.{column})")).collect();
    let keys = columns.iter().filter(|(_, is_key)| *is_key);
    let key = list(keys.map(|(column, _)| set("NEW", column)).collect(), " AND ");
    let names: Vec<_> = columns.iter().map(|(column, _)| &**column).collect();
    let (old, values, names) = (list(old, ", "), list(values, ", "), names.join(", "));
    let trigger = |event: &str, reverse: String| {
        format!(
            "CREATE TEMP TRIGGER undo_{event}_{table} AFTER {event} ON main.{table} BEGIN
             INSERT INTO undo (sql) VALUES ({reverse} || ';'); END;\n"
        )
    };
    trigger("INSERT", format!("'DELETE FROM {table} WHERE ' || {key}"))
        + &trigger("UPDATE", format!("'UPDATE {table} SET ' || {old} || ' WHERE ' || {key}"))
        + &trigger(
            "DELETE",
            format!("'INSERT OR REPLACE INTO {table} ({names}) VALUES (' || {values} || ')'"),
        )
}
