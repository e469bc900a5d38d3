//! What article files may hold, and what is said of those that may not.

use tempfile::TempDir;

use super::*;

const HEAD: &str = "---\nid: a\ntitle: Доставка\nlanguage: ru\ntags: [delivery]\nupdated: 2026-08-03\n---\n";

fn dir(files: &[(&str, &[u8])]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    dir
}

fn sections(body: &str) -> Vec<Section> {
    let dir = dir(&[("a.md", format!("{HEAD}{body}").as_bytes())]);
    read_articles(dir.path()).unwrap().remove(0).sections
}

#[track_caller]
fn text(body: &str, expected: &str) {
    assert_eq!(sections(body), [Section { heading: String::new(), text: expected.to_owned() }]);
}

/// Faults as `file:line:column why`.
fn faults(files: &[(&str, &[u8])]) -> Vec<String> {
    let dir = dir(files);
    let prefix = format!("{}/", dir.path().display());
    read_articles(dir.path()).unwrap_err().0.iter().map(|fault| fault.to_string().replace(&prefix, "")).collect()
}

#[track_caller]
fn fault(content: &str, expected: &str) {
    let found = faults(&[("a.md", content.as_bytes())]);
    assert!(found.len() == 1 && found[0].starts_with(expected), "{found:#?}");
}

#[test]
fn the_articles_of_the_demo_shop_are_sound() {
    let articles = read_articles(Path::new("knowledge")).unwrap_or_else(|faults| panic!("{faults}"));
    for language in Language::ALL {
        assert!(articles.iter().filter(|article| article.language == language).count() > 40, "{language}");
    }
    let moscow = articles.iter().find(|article| article.key() == "ru/delivery-cost-moscow").unwrap();
    assert_eq!(moscow.sections[0].heading, "");
    assert!(moscow.sections.len() > 1);
    assert!(!moscow.tags.is_empty());
    for section in articles.iter().flat_map(|article| &article.sections) {
        assert!(!section.text.contains("**") && !section.text.contains("]("), "markup is left: {}", section.text);
    }
}

#[test]
fn sections_begin_at_second_level_headings() {
    let found =
        sections("Введение\nв две строки.\n\n## Сколько *стоит*?\n\n500 ₽.\n\n### Мелочи\n\nДа.\n\n## Когда?\nЗавтра.");
    let expected =
        [("", "Введение в две строки."), ("Сколько стоит?", "500 ₽.\n\nМелочи\n\nДа."), ("Когда?", "Завтра.")];
    assert_eq!(found, expected.map(|(heading, text)| Section { heading: heading.to_owned(), text: text.to_owned() }));
    assert_eq!(sections("## Сразу\nТекст.")[0].heading, "Сразу", "an introduction is not required");
}

#[test]
fn lists_keep_their_items() {
    text("Нужно:\n- паспорт\n- **чек**\n\nВсё.", "Нужно:\n\n• паспорт\n• чек\n\nВсё.");
    text("3. раз\n4. два", "3. раз\n4. два");
    text("- раз\n\n  ещё\n\n- два", "• раз\n  ещё\n• два");
    text("- раз\n  - внутри\n- два", "• раз\n  • внутри\n• два");
}

#[test]
fn addresses_follow_the_text_of_a_link() {
    text("См. [сайт](https://myata.example/return).", "См. сайт (https://myata.example/return).");
    text("<help@myata.example>, [myata.example](https://myata.example/)", "help@myata.example, myata.example");
    text("[8 800 555-01-99](tel:88005550199)", "8 800 555-01-99");
}

#[test]
fn the_rest_of_markdown_becomes_text() {
    text("| Зона | Цена |\n|---|---|\n| МКАД | 390 ₽ |", "Зона | Цена\nМКАД | 390 ₽");
    text("Цена ~~500~~ 400 ₽ и `HELLO10`\\\nвсё", "Цена 400 ₽ и HELLO10\nвсё");
    text("```\nкод\n```\n\n> цитата\n\n---\n\nконец", "код\n\nцитата\n\nконец");
    text("раз<br>два <!-- заметка --> три\n\n<!--\nскрыто\n-->\n\nконец", "раз\nдва три\n\nконец");
}

#[test]
fn windows_files_are_read() {
    let content = format!("\u{feff}{HEAD}Раз\nдва.\n\n## Три\n- четыре\n").replace('\n', "\r\n");
    let dir = dir(&[("sub/A.MD", content.as_bytes())]);
    let article = read_articles(dir.path()).unwrap().remove(0);
    assert_eq!(article.sections[0].text, "Раз два.");
    assert_eq!(article.sections[1].text, "• четыре");
}

#[test]
fn faults_have_their_place() {
    fault("Просто текст", "a.md:1:1: there is no front matter");
    fault("---\nid: a\n", "a.md:1:1: the front matter does not end");
    fault(&format!("{}Текст", HEAD.replace("id: a", "id: Ё a")), "a.md:2:5: an id has");
    fault(&format!("{}Текст", HEAD.replace("Доставка", "\" \"")), "a.md:3:8: the title is empty");
    fault(
        &format!("{}Текст", HEAD.replace("language: ru", "language: russian")),
        "a.md:4:11: the language is ru or en",
    );
    fault(&format!("{}Текст", HEAD.replace("2026-08-03", "03.08.2026")), "a.md:6:10: the day of the last change");
    fault(&format!("{}Текст", HEAD.replace("tags:", "tag:")), "a.md:5:1: ");
    fault(&format!("{}Текст", HEAD.replace("id: a\n", "")), "a.md:1:1: `id` is missing");
    let english = format!("{}Where is my parcel?", HEAD.replace("Доставка", "Delivery"));
    fault(&english, "a.md:4:11: the front matter says ru, but title and text are in en");
    fault(&format!("{HEAD}\n"), "a.md:8:1: the article has no text");
    fault(&format!("{HEAD}Текст\n\n## Пусто\n\n## Есть\nДа"), "a.md:10:1: the section has no text");
    fault(&format!("{HEAD}Текст\n\n##\nДа"), "a.md:10:1: the heading is empty");
    fault(&format!("{HEAD}# Доставка\nДа"), "a.md:8:1: the title stands in the front matter");
    fault(&format!("{HEAD}Раз <b>два</b>"), "a.md:8:5: HTML is not read");
}

#[test]
fn every_fault_of_every_file_is_told() {
    let broken = HEAD.replace("ru", "de").replace("2026-08-03", "вчера");
    let good = format!("{HEAD}Текст");
    let files: &[(&str, &[u8])] = &[
        ("0.md", good.as_bytes()),
        ("1.md", broken.as_bytes()),
        ("2.md", &[b'a', b'\n', 0xff]),
        ("3.md", good.as_bytes()),
        ("README.md", b"not an article"),
        (".draft.md", b"hidden"),
    ];
    let found = faults(files);
    let starts = [
        "1.md:4:11:",
        "1.md:6:10:",
        "1.md:8:1: the article has no text",
        "2.md:2:1: this is not UTF-8",
        "3.md:2:5: ru/a is already",
    ];
    assert_eq!(found.len(), starts.len(), "{found:#?}");
    for (found, start) in found.iter().zip(starts) {
        assert!(found.starts_with(start), "{found}");
    }
    let dir = dir(files);
    let (articles, faults) = read_what_can_be_read(dir.path()).unwrap();
    assert_eq!((articles.len(), faults.len()), (1, starts.len()));
}

#[test]
fn a_directory_without_articles_is_a_fault() {
    let dir = dir(&[("README.md", b"x")]);
    assert!(read_what_can_be_read(dir.path()).unwrap_err().to_string().contains("there is no article"));
    assert!(read_articles(&dir.path().join("absent")).unwrap_err().to_string().contains("can't be read"));
    fs::write(dir.path().join("a.md"), "x").unwrap();
    assert!(read_what_can_be_read(dir.path()).unwrap_err().to_string().contains("no front matter"));
}

#[test]
fn the_fingerprint_changes_with_the_files() {
    let dir = dir(&[("a.md", b"x"), ("note.txt", b"x")]);
    let first = directory_fingerprint(dir.path()).unwrap();
    assert_eq!(directory_fingerprint(dir.path()).unwrap(), first);
    fs::write(dir.path().join("note.txt"), "longer").unwrap();
    assert_eq!(directory_fingerprint(dir.path()).unwrap(), first, "only articles count");
    fs::write(dir.path().join("a.md"), "xy").unwrap();
    let second = directory_fingerprint(dir.path()).unwrap();
    assert_ne!(second, first);
    fs::rename(dir.path().join("a.md"), dir.path().join("b.md")).unwrap();
    assert_ne!(directory_fingerprint(dir.path()).unwrap(), second);
    assert!(directory_fingerprint(&dir.path().join("absent")).is_err());
}

#[cfg(unix)]
#[test]
fn links_are_followed_but_not_in_circles() {
    let dir = dir(&[("real/a.md", format!("{HEAD}Текст").as_bytes())]);
    std::os::unix::fs::symlink(dir.path(), dir.path().join("real/circle")).unwrap();
    assert_eq!(read_articles(dir.path()).unwrap().len(), 1);
}
