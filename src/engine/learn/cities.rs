//! Cities and towns by name: to know one where it stands alone, and to give it in the nominative.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use crate::engine::words::words;

/// In Russian, in the nominative.
const RUSSIAN: &str = "Москва|Санкт-Петербург|Петербург|Питер|СПб|Новосибирск|Екатеринбург|Казань|Нижний Новгород|Красноярск|Челябинск|Самара|Уфа|Ростов-на-Дону|Ростов|Краснодар|\
Омск|Воронеж|Пермь|Волгоград|Саратов|Тюмень|Тольятти|Барнаул|Махачкала|Ижевск|Хабаровск|Ульяновск|Иркутск|Владивосток|Ярославль|Кемерово|Томск|Набережные Челны|Севастополь|Ставрополь|\
Оренбург|Новокузнецк|Рязань|Балашиха|Пенза|Чебоксары|Липецк|Калининград|Астрахань|Тула|Киров|Сочи|Курск|Улан-Удэ|Тверь|Магнитогорск|Сургут|Брянск|Иваново|Якутск|Владимир|Симферополь|\
Белгород|Нижний Тагил|Калуга|Чита|Грозный|Волжский|Смоленск|Подольск|Саранск|Вологда|Курган|Череповец|Орёл|Архангельск|Владикавказ|Нижневартовск|Йошкар-Ола|Стерлитамак|Мурманск|\
Кострома|Новороссийск|Тамбов|Химки|Мытищи|Нальчик|Таганрог|Нижнекамск|Благовещенск|Комсомольск-на-Амуре|Петрозаводск|Королёв|Шахты|Энгельс|Великий Новгород|Люберцы|Братск|Старый Оскол|\
Ангарск|Сыктывкар|Дзержинск|Псков|Орск|Красногорск|Армавир|Абакан|Балаково|Бийск|Южно-Сахалинск|Одинцово|Уссурийск|Прокопьевск|Рыбинск|Норильск|Волгодонск|Альметьевск|Сызрань|Петропавловск-Камчатский|\
Каменск-Уральский|Новочеркасск|Златоуст|Хасавюрт|Северодвинск|Керчь|Домодедово|Салават|Миасс|Копейск|Пятигорск|Электросталь|Майкоп|Находка|Березники|Коломна|Щёлково|Серпухов|Ковров|Нефтекамск|\
Кисловодск|Батайск|Рубцовск|Обнинск|Кызыл|Дербент|Нефтеюганск|Назрань|Каспийск|Долгопрудный|Новочебоксарск|Невинномысск|Ессентуки|Раменское|Реутов|Пушкино|Жуковский|Артём|Черкесск|Ноябрьск|\
Первоуральск|Димитровград|Евпатория|Орехово-Зуево|Новый Уренгой|Видное|Камышин|Муром|Новошахтинск|Бердск|Северск|Арзамас|Элиста|Ногинск|Новомосковск|Железногорск|Зеленодольск|Тобольск|\
Сергиев Посад|Лобня|Ивантеевка|Дмитров|Клин|Чехов|Дубна|Домодедово|Егорьевск|Наро-Фоминск|Воскресенск|Фрязино|Истра|Звенигород|Апрелевка|Бронницы|Кубинка|Троицк|Щербинка|Зеленоград|Котельники|Дзержинский|Лыткарино|\
Гатчина|Выборг|Всеволожск|Колпино|Пушкин|Петергоф|Кронштадт|Мурино|Кудрово|Сестрорецк|Тосно|Кириши|Тихвин|Луга|Сосновый Бор|Кингисепп|Великие Луки|Торжок|Ржев|Вышний Волочёк|Бологое|Александров|Гусь-Хрустальный|\
Елец|Мичуринск|Ливны|Вязьма|Сафоново|Рославль|Клинцы|Губкин|Алексеевка|Ейск|Геленджик|Анапа|Туапсе|Адлер|Кропоткин|Тихорецк|Лабинск|Крымск|Темрюк|Минеральные Воды|Георгиевск|Будённовск|Железноводск|Михайловск|\
Аксай|Азов|Сальск|Ялта|Феодосия|Алушта|Судак|Джанкой|Ахтубинск|Балашов|Вольск|Кузнецк|Заречный|Сарапул|Воткинск|Глазов|Чапаевск|Новокуйбышевск|Октябрьский|Ишимбай|Белорецк|Туймазы|Кумертау|Сибай|Бугульма|Елабуга|Чистополь|Лениногорск|\
Бузулук|Бугуруслан|Новотроицк|Соликамск|Кунгур|Лысьва|Чайковский|Чусовой|Серов|Асбест|Ревда|Полевской|Верхняя Пышма|Краснотурьинск|Лесной|Новоуральск|Озёрск|Снежинск|Чебаркуль|Сатка|Троицк|Ишим|Ялуторовск|Ханты-Мансийск|Когалым|Нягань|Мегион|Лангепас|Радужный|Салехард|Надым|Губкинский|\
Куйбышев|Искитим|Юрга|Анжеро-Судженск|Ленинск-Кузнецкий|Белово|Киселёвск|Междуреченск|Ачинск|Канск|Минусинск|Назарово|Лесосибирск|Черногорск|Саяногорск|Усть-Илимск|Шелехов|Усолье-Сибирское|Ангарск|Нерюнгри|Мирный|Арсеньев|Спасск-Дальний|Биробиджан|Магадан|Анадырь|Свободный|Белогорск|Тында|\
Апатиты|Мончегорск|Североморск|Кандалакша|Воркута|Ухта|Печора|Усинск|Котлас|Новодвинск|Коряжма|Сокол|Великий Устюг|Шуя|Кинешма|Вичуга|Переславль-Залесский|Углич|Ростов Великий|Тутаев|Суздаль|Кольчугино|Выкса|Бор|Саров|Павлово|Кстово|Балахна|Городец|Новочебоксарск|Канаш|Алатырь|Рузаевка|Волжск|Бердск|\
Минск|Гомель|Брест|Гродно|Витебск|Могилёв|Алматы|Астана|Караганда|Шымкент|Актобе|Павлодар|Костанай|Бишкек|Ош|Ташкент|Самарканд|Бухара|Душанбе|Ереван|Гюмри|Тбилиси|Батуми|Баку|Гянджа|Кишинёв|Тирасполь|Рига|Вильнюс|Таллин|Нарва|Берлин|Белград|Стамбул|Анталья";

/// In Latin letters.
const LATIN: &str = "Kettering|Hebden Bridge|Braintree|Corby|Wellingborough|Daventry|Banbury|Bicester|Witney|Didcot|Abingdon|Newbury|Bracknell|Wokingham|Maidenhead|Windsor|Woking|Farnham|Aldershot|Farnborough|Fareham|Gosport|Havant|Chichester|Bognor Regis|Worthing|Lewes|Hove|Tunbridge Wells|Tonbridge|Sevenoaks|Ashford|Folkestone|Margate|Ramsgate|Faversham|Whitstable|Gravesend|Dartford|Basildon|Clacton|Sudbury|Bury St Edmunds|Newmarket|Thetford|King's Lynn|Cromer|Great Yarmouth|Lowestoft|Ely|Wisbech|Huntingdon|St Neots|Biggleswade|Letchworth|Hertford|Bishop's Stortford|Dunstable|Leighton Buzzard|Buckingham|Brackley|Evesham|Malvern|Kidderminster|Stourport|Stourbridge|Halesowen|West Bromwich|Tamworth|Lichfield|Burton|Cannock|Nuneaton|Hinckley|Loughborough|Melton Mowbray|Grantham|Newark-on-Trent|Mansfield|Worksop|Chesterfield|Matlock|Buxton|Macclesfield|Crewe|Nantwich|Northwich|Runcorn|Widnes|Southport|Ormskirk|Chorley|Leyland|Morecambe|Barrow|Penrith|Keswick|Workington|Whitehaven|Hexham|Morpeth|Alnwick|Berwick|Gateshead|Tynemouth|Stockton|Redcar|Northallerton|Ripon|Thirsk|Ilkley|Otley|Keighley|Bingley|Dewsbury|Batley|Pontefract|Selby|Goole|Beverley|Bridlington|Scunthorpe|Louth|Skegness|Spalding|Stamford|Oswestry|Whitchurch|Leominster|Ross-on-Wye|Tewkesbury|Stroud|Cirencester|Chippenham|Trowbridge|Devizes|Frome|Glastonbury|Bridgwater|Minehead|Barnstaple|Bideford|Tiverton|Exmouth|Paignton|Totnes|Dorchester|Weymouth|Poole|Christchurch|Lymington|Abergavenny|Monmouth|Barry|Bridgend|Neath|Llanelli|Carmarthen|Haverfordwest|Tenby|Lampeter|Brecon|Builth|Rhayader|Welshpool|Newtown|Dolgellau|Caernarfon|Conwy|Rhyl|Perth|Dunfermline|Kirkcaldy|St Andrews|Arbroath|Montrose|Elgin|Nairn|Thurso|Stornoway|Lerwick|Kirkwall|Dumfries|Hawick|Galashiels|Motherwell|Greenock|Ballymena|Coleraine|Omagh|Newry|Armagh|Ennis|Tralee|Killarney|Wexford|Dundalk|Athlone|Mullingar|Letterkenny|Ballina|Castlebar|Ballarat|Bendigo|Geelong|Wagga Wagga|Cairns|Townsville|Toowoomba|Launceston|Halifax|Kelowna|Saskatoon|Regina|Walla Walla|Yakima|Bellingham|Missoula|Billings|Fargo|Sioux Falls|Lincoln|Topeka|Amarillo|Waco|Lafayette|Shreveport|Mobile|Macon|Roanoke|Scranton|Erie|Toledo|Akron|Dayton|Kalamazoo|Flint|Green Bay|Rockford|Peoria|Moscow|Saint Petersburg|St Petersburg|St. Petersburg|Petersburg|Novosibirsk|Yekaterinburg|Ekaterinburg|Kazan|Nizhny Novgorod|Krasnoyarsk|Chelyabinsk|Samara|Ufa|Rostov-on-Don|Rostov|Krasnodar|\
Omsk|Voronezh|Perm|Volgograd|Saratov|Tyumen|Togliatti|Tolyatti|Barnaul|Makhachkala|Izhevsk|Khabarovsk|Ulyanovsk|Irkutsk|Vladivostok|Yaroslavl|Kemerovo|Tomsk|Naberezhnye Chelny|Sevastopol|Stavropol|\
Orenburg|Novokuznetsk|Ryazan|Balashikha|Penza|Cheboksary|Lipetsk|Kaliningrad|Astrakhan|Tula|Kirov|Sochi|Kursk|Ulan-Ude|Tver|Magnitogorsk|Surgut|Bryansk|Ivanovo|Yakutsk|Simferopol|Belgorod|Nizhny Tagil|Kaluga|Chita|Grozny|\
Smolensk|Podolsk|Saransk|Vologda|Kurgan|Cherepovets|Oryol|Arkhangelsk|Vladikavkaz|Murmansk|Kostroma|Novorossiysk|Tambov|Khimki|Mytishchi|Nalchik|Taganrog|Petrozavodsk|Korolev|Veliky Novgorod|Lyubertsy|Syktyvkar|Dzerzhinsk|Pskov|Krasnogorsk|Abakan|\
Odintsovo|Rybinsk|Norilsk|Severodvinsk|Domodedovo|Pyatigorsk|Kolomna|Serpukhov|Obninsk|Derbent|Zhukovsky|Zelenograd|Gatchina|Vyborg|Pushkin|Adler|Anapa|Gelendzhik|Elista|Dubna|Sergiev Posad|Magadan|\
Minsk|Gomel|Brest|Grodno|Vitebsk|Almaty|Astana|Karaganda|Shymkent|Bishkek|Tashkent|Samarkand|Bukhara|Dushanbe|Yerevan|Tbilisi|Batumi|Baku|Chisinau|Kyiv|Kiev|Odessa|Kharkiv|Lviv|\
London|Manchester|Birmingham|Leeds|Liverpool|Sheffield|Bristol|Glasgow|Edinburgh|Cardiff|Belfast|Newcastle|Nottingham|Leicester|Coventry|Bradford|Hull|Stoke|Stoke-on-Trent|Wolverhampton|Plymouth|Southampton|Portsmouth|Derby|Norwich|Oxford|Cambridge|\
York|Brighton|Bournemouth|Swansea|Aberdeen|Dundee|Inverness|Perth|Stirling|Exeter|Gloucester|Cheltenham|Bath|Swindon|Northampton|Luton|Peterborough|Ipswich|Colchester|Chelmsford|Southend|Reading|Slough|Milton Keynes|Watford|Croydon|Guildford|Crawley|Eastbourne|\
Hastings|Canterbury|Dover|Maidstone|Blackpool|Preston|Bolton|Bury|Oldham|Rochdale|Stockport|Warrington|Wigan|Burnley|Blackburn|Lancaster|Carlisle|Kendal|Durham|Sunderland|Middlesbrough|Hartlepool|Darlington|Whitby|Scarborough|Harrogate|Skipton|Huddersfield|Halifax|Wakefield|\
Doncaster|Rotherham|Barnsley|Grimsby|Lincoln|Chester|Shrewsbury|Telford|Hereford|Worcester|Ludlow|Stafford|Walsall|Dudley|Solihull|Redditch|Rugby|Warwick|Truro|Falmouth|Penzance|Torquay|Taunton|Yeovil|Salisbury|Winchester|Basingstoke|Andover|Aylesbury|Bedford|Stevenage|Hitchin|Harlow|St Albans|Hemel Hempstead|\
Wrexham|Newport|Bangor|Aberystwyth|Llandudno|Paisley|Falkirk|Ayr|Kilmarnock|Oban|Fort William|Derry|Lisburn|Dublin|Cork|Galway|Limerick|Waterford|Kilkenny|Sligo|Drogheda|\
New York|Los Angeles|Chicago|Houston|Phoenix|Philadelphia|San Antonio|San Diego|Dallas|San Jose|Austin|Jacksonville|Fort Worth|Columbus|Charlotte|San Francisco|Indianapolis|Seattle|Denver|Washington|Boston|El Paso|Nashville|Detroit|Portland|Las Vegas|Memphis|Louisville|Baltimore|Milwaukee|Albuquerque|Tucson|Fresno|\
Sacramento|Kansas City|Atlanta|Omaha|Raleigh|Miami|Oakland|Minneapolis|Tulsa|Tampa|Arlington|New Orleans|Wichita|Cleveland|Bakersfield|Honolulu|Anaheim|Henderson|Orlando|St Louis|St. Louis|Pittsburgh|Cincinnati|Anchorage|Saint Paul|Newark|Buffalo|Madison|Lubbock|Boise|Richmond|Spokane|Rochester|Des Moines|Tacoma|Salt Lake City|\
Knoxville|Providence|Chattanooga|Savannah|Asheville|Duluth|Eugene|Santa Fe|Brooklyn|Queens|Albany|Syracuse|Hartford|Burlington|Charleston|Little Rock|Baton Rouge|Mobile|Birmingham|\
Toronto|Montreal|Vancouver|Calgary|Edmonton|Ottawa|Winnipeg|Quebec|Hamilton|Sydney|Melbourne|Brisbane|Adelaide|Canberra|Hobart|Darwin|Auckland|Wellington|Christchurch|Dunedin|Cape Town|Johannesburg|Durban|Pretoria|Lagos|Abuja|Nairobi|Accra|Kampala|Cairo|Dubai|Abu Dhabi|Doha|\
Berlin|Hamburg|Munich|München|Cologne|Köln|Frankfurt|Stuttgart|Düsseldorf|Dusseldorf|Leipzig|Dortmund|Essen|Bremen|Dresden|Hanover|Hannover|Nuremberg|Nürnberg|Münster|Bonn|Mannheim|Karlsruhe|Augsburg|Aachen|Freiburg|Vienna|Wien|Graz|Salzburg|Innsbruck|Zurich|Zürich|Geneva|Basel|Bern|\
Paris|Lyon|Marseille|Toulouse|Nice|Nantes|Strasbourg|Bordeaux|Lille|Rennes|Brussels|Antwerp|Ghent|Bruges|Amsterdam|Rotterdam|Utrecht|The Hague|Eindhoven|Groningen|Madrid|Barcelona|Valencia|Seville|Sevilla|Malaga|Bilbao|Lisbon|Porto|Rome|Roma|Milan|Milano|Naples|Turin|Torino|Florence|Bologna|Verona|Venice|Genoa|Palermo|\
Warsaw|Krakow|Kraków|Gdańsk|Gdansk|Wrocław|Wroclaw|Poznań|Poznan|Łódź|Lodz|Lublin|Katowice|Prague|Praha|Brno|Ostrava|Bratislava|Košice|Budapest|Bucharest|Cluj|Sofia|Plovdiv|Varna|Belgrade|Novi Sad|Zagreb|Split|Ljubljana|Sarajevo|Skopje|Tirana|Athens|Thessaloniki|Istanbul|Ankara|Izmir|Antalya|\
Stockholm|Gothenburg|Malmö|Uppsala|Oslo|Bergen|Trondheim|Copenhagen|Aarhus|Odense|Helsinki|Tampere|Turku|Espoo|Reykjavik|Riga|Vilnius|Kaunas|Tallinn|Tartu|Narva|Tel Aviv|Jerusalem|Haifa|Delhi|Mumbai|Bangalore|Chennai|Kolkata|Hyderabad|Pune|Karachi|Lahore|Dhaka|Colombo|Singapore|Kuala Lumpur|Bangkok|Hanoi|Jakarta|Manila|Tokyo|Osaka|Seoul|Beijing|Shanghai|Hong Kong|\
Mexico City|Guadalajara|Bogota|Lima|Santiago|Buenos Aires|Montevideo|Sao Paulo|Rio de Janeiro";

/// Names that are common words, men or brands as well: cities only after words that say so.
const DOUBTFUL: &str = "barry|burton|flint|macon|regina|louth|windsor|newmarket|dayton|stamford|ashford|neath|ely|erie|poole|halifax|владимир|орел|киров|пушкин|чехов|артем|шахты|мирный|лесной|свободный|бор|сокол|клин|луга|волжский|октябрьский|чайковский|энгельс|королев|адлер|заречный|радужный|\
троицк|златоуст|находка|азов|бор|пушкино|жуковский|дзержинский|губкин|ростов|reading|bath|nice|mobile|bury|hull|rugby|split|cork|essen|derby|lima|phoenix|buffalo|charlotte|austin|madison|\
florence|sofia|sydney|preston|jackson|henderson|lincoln|dudley|hamilton|washington|richmond|york|perth|chester|stafford|warwick|kirov|pushkin|adler|oral|santiago|kent|brest|брест|александров";

/// The nominative by all its cases.
static CITIES: LazyLock<HashMap<String, &'static str>> = LazyLock::new(|| {
    let mut all = HashMap::new();
    for city in RUSSIAN.split('|').chain(LATIN.split('|')) {
        all.insert(key(city), city);
    }
    for city in RUSSIAN.split('|') {
        for form in cases(&key(city)) {
            all.entry(form).or_insert(city);
        }
    }
    // Vowels that go, and what people shorten.
    for (form, city) in [
        ("орла", "Орёл"),
        ("орле", "Орёл"),
        ("ельца", "Елец"),
        ("ельце", "Елец"),
        ("рославля", "Рославль"),
        ("химок", "Химки"),
        ("химках", "Химки"),
        ("мытищ", "Мытищи"),
        ("люберец", "Люберцы"),
        ("чебоксар", "Чебоксары"),
        ("питера", "Питер"),
        ("набережных челнов", "Набережные Челны"),
        ("нижнего", "Нижний Новгород"),
        ("нижнем", "Нижний Новгород"),
        ("великих лук", "Великие Луки"),
        ("минеральных вод", "Минеральные Воды"),
        ("ессентуков", "Ессентуки"),
        ("шахт", "Шахты"),
        ("апатитов", "Апатиты"),
        ("спб", "СПб"),
        ("екб", "Екатеринбург"),
        ("мск", "Москва"),
        ("анапы", "Анапа"),
        ("ростове на дону", "Ростов-на-Дону"),
        ("ростова на дону", "Ростов-на-Дону"),
        ("ростов на дону", "Ростов-на-Дону"),
    ] {
        all.insert(key(form), city);
    }
    all
});

fn key(city: &str) -> String {
    words(city).join(" ")
}

/// A folded name in the other cases, each of its words by its ending; what is no word does no harm.
fn cases(name: &str) -> Vec<String> {
    let words: Vec<&str> = name.split(' ').collect();
    let (last, first) = match words.as_slice() {
        [.., last] if words.len() > 1 && !["на", "дону", "амуре"].contains(last) => {
            (*last, &words[..words.len() - 1])
        }
        [one] => (*one, &words[..0]),
        _ => return Vec::new(),
    };
    let mut all = Vec::new();
    for (place, form) in declined(last).into_iter().enumerate() {
        // An adjective before it goes through the cases with it; «Санкт», «Улан» don't.
        let before: Vec<String> = first
            .iter()
            .map(|word| {
                declined(word)
                    .get(place)
                    .filter(|_| word.ends_with(['й', 'я', 'е']))
                    .cloned()
                    .unwrap_or_else(|| (*word).to_owned())
            })
            .collect();
        all.push(before.into_iter().chain([form]).collect::<Vec<_>>().join(" "));
    }
    all
}

/// Genitive, dative, accusative, instrumental and prepositional of a word, by its ending.
fn declined(word: &str) -> Vec<String> {
    let cut = |letters: usize| word.char_indices().rev().nth(letters - 1).map_or("", |(at, _)| &word[..at]);
    let with = |stem: &str, endings: [&str; 5]| endings.map(|ending| format!("{stem}{ending}")).to_vec();
    match word {
        _ if word.ends_with("ский") || word.ends_with("кий") || word.ends_with("гий") => {
            with(cut(2), ["ого", "ому", "ий", "им", "ом"])
        }
        _ if word.ends_with("ий") => with(cut(2), ["его", "ему", "ий", "им", "ем"]),
        _ if word.ends_with("ый") || word.ends_with("ой") => with(cut(2), ["ого", "ому", "ый", "ым", "ом"]),
        _ if word.ends_with("ая") => with(cut(2), ["ой", "ой", "ую", "ой", "ой"]),
        _ if word.ends_with("ое") => with(cut(2), ["ого", "ому", "ое", "ым", "ом"]),
        _ if word.ends_with("ие") || word.ends_with("ые") => with(cut(2), ["их", "им", "ие", "ими", "их"]),
        _ if word.ends_with("ия") => with(cut(1), ["и", "и", "ю", "ей", "и"]),
        _ if word.ends_with(['г', 'к', 'х', 'ж', 'ш', 'ч', 'щ']) => with(word, ["а", "у", "", "ом", "е"]),
        _ if word.ends_with("га")
            || word.ends_with("ка")
            || word.ends_with("ха")
            || word.ends_with("ша")
            || word.ends_with("ча") =>
        {
            with(cut(1), ["и", "е", "у", "ой", "е"])
        }
        _ if word.ends_with('а') => with(cut(1), ["ы", "е", "у", "ой", "е"]),
        _ if word.ends_with('я') => with(cut(1), ["и", "е", "ю", "ей", "е"]),
        _ if word.ends_with("ль")
            && [
                "ярославль",
                "рославль",
                "севастополь",
                "симферополь",
                "ставрополь",
                "кизляр",
                "тирасполь",
                "чистополь",
            ]
            .contains(&word) =>
        {
            with(cut(1), ["я", "ю", "ь", "ем", "е"])
        }
        _ if word.ends_with('ь') => with(cut(1), ["и", "и", "ь", "ью", "и"]),
        _ if word.ends_with('о') => with(cut(1), ["а", "у", "о", "ом", "е"]),
        _ if word.ends_with(['ы', 'и']) => with(cut(1), ["", "ам", "ы", "ами", "ах"]),
        _ if word.ends_with('й') => with(cut(1), ["я", "ю", "й", "ем", "е"]),
        _ => with(word, ["а", "у", "", "ом", "е"]),
    }
}

/// The city of these words, in the nominative.
pub(super) fn city(text: &str) -> Option<&'static str> {
    CITIES.get(&key(text)).copied()
}

/// Whether a word, folded, begins the name of a city of two words.
pub(super) fn begins(low: &str) -> bool {
    static FIRST: LazyLock<HashSet<&'static str>> =
        LazyLock::new(|| CITIES.keys().filter_map(|key| key.split_once(' ').map(|(first, _)| first)).collect());
    FIRST.contains(low)
}

/// Whether the words name something else at least as often.
pub(super) fn is_doubtful(text: &str) -> bool {
    let low = text.to_lowercase().replace('ё', "е");
    DOUBTFUL.split('|').any(|word| word == low)
}
